"""`python -m tests.bench [NAME ...]`: runs the named benchmarks, or all, and prints a table."""

import sys
from concurrent.futures import ProcessPoolExecutor

from tests.bench.report import Figure, measured, table

BENCHMARKS = (
    "latency",
    "throughput",
    "claim",
    "loop_lag",
    "memory",
    "pictures",
    "lists",
    "loras",
    "launcher",
    "menu",
    "gallery",
)


def main(names: list[str]) -> None:
    """Runs each benchmark in a process of its own; ends with 1 when a limit is missed."""
    figures: list[Figure] = []
    with ProcessPoolExecutor(1, max_tasks_per_child=1) as processes:
        for name in names or BENCHMARKS:
            print(f"{name} ...", file=sys.stderr)
            found = processes.submit(measured, name).result()
            print("\n".join(figure.row() for figure in found), file=sys.stderr)
            figures += found
    print(table(figures))
    sys.exit(0 if all(figure.is_kept for figure in figures) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
