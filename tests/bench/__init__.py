"""Benchmarks: figures, not tests. `python -m tests.bench` runs them all and prints a table."""
