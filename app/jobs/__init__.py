"""The persisted queue and its worker. Knows nothing of Forge or CivitAI."""
