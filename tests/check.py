"""What has to hold before a commit: `python -m tests.check`. Stops at the first failure.

`--linters` leaves the tests out; `.ci/run` has run all of them by then.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).parent.parent
_LINTERS = (
    ("ruff", "format", "--check"),
    ("ruff", "check"),
    ("mypy",),
    ("lint-imports",),
)
_TESTS = ("pytest", "-q", "-m", "not slow and not windows and not gpu")


def steps(*, linters_only: bool) -> list[tuple[str, ...]]:
    """The commands, in order."""
    return [*_LINTERS] if linters_only else [*_LINTERS, _TESTS]


def run(commands: Sequence[Sequence[str]]) -> int:
    """Runs the commands in the project's folder; gives the exit code of the first that fails."""
    for command in commands:
        shown = " ".join(command)
        began_s = time.monotonic()
        print(f"-- {shown}", flush=True)
        done = subprocess.run([_program(command[0]), *command[1:]], cwd=PROJECT, check=False)
        if done.returncode != 0:
            print(f"-- FAILED: {shown} (exit code {done.returncode})", flush=True)
            return done.returncode
        print(f"-- {shown}: {time.monotonic() - began_s:.1f} s", flush=True)
    print("-- all good")
    return 0


def _program(name: str) -> str:
    """The program beside this Python, so that the environment need not be activated."""
    here = str(Path(sys.executable).parent)
    return shutil.which(name, path=here) or name


if __name__ == "__main__":
    sys.exit(run(steps(linters_only="--linters" in sys.argv[1:])))
