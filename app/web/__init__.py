"""HTTP and socket.io in, JSON out: translates, checks access, decides nothing else."""
