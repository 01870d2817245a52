"""Small programs as children of the launcher's classes in tests, and whether they are left."""

import contextlib
import os
import socket
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil

from launcher.process import Launch


def python(
    code: str, *arguments: str, holds_stdin: bool = False, cwd: Path | None = None
) -> Launch:
    """A Python program."""
    command = (sys.executable, "-u", "-c", textwrap.dedent(code), *arguments)
    return Launch(command, dict(os.environ), cwd, holds_stdin)


def lives(pid: int) -> bool:
    """Whether the process does anything any more."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def listens(path: Path) -> bool:
    """Whether somebody takes connections at this socket, which is there a moment earlier."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as tried:
        tried.connect(str(path))
        return True
    return False


@contextlib.contextmanager
def killed_at_the_end() -> Iterator[list[int]]:
    """Processes whose numbers are put in here do not outlive the test."""
    pids: list[int] = []
    try:
        yield pids
    finally:
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                psutil.Process(pid).kill()
