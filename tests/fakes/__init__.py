"""Third parties over real HTTP, small and with faults. They know nothing of what is tested."""
