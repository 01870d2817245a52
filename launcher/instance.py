"""Keeps a second launcher away from a data folder, and tells it how to talk to the first.

The system frees the folder when its holder dies, however it dies.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from launcher.errors import LauncherError

_LOCK_NAME = "launcher.lock"
_CONTROL_NAME = "control.json"

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class RunsAlready(LauncherError):
    """Another launcher holds the data folder."""


class FolderRefused(LauncherError):
    """The data folder cannot be used."""


@dataclass(frozen=True)
class Contact:
    """Where a running launcher listens on the loopback address, and the key for it."""

    port: int
    token: str = field(repr=False)
    pid: int


@contextlib.contextmanager
def only_instance(folder: Path) -> Iterator[None]:
    """Holds the launcher's `folder` while the block runs; makes it when it is not there.

    Raises `RunsAlready` and `FolderRefused`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Never removed: whoever removes a lock file lets two in.
        file = (folder / _LOCK_NAME).open("a+b")
    except OSError as error:
        raise FolderRefused(f"The folder {folder} cannot be used ({error.strerror}).") from error
    with contextlib.closing(file):
        if not _try_lock(file):
            raise RunsAlready("Navigator's launcher runs already.")
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                (folder / _CONTROL_NAME).unlink(missing_ok=True)


def write_contact(folder: Path, port: int, token: str) -> None:
    """Tells others on this machine, of the same user, how to talk to us. Raises OSError."""
    partial = folder / f"{_CONTROL_NAME}.partial"
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(asdict(Contact(port, token, os.getpid()))), "utf-8")
    partial.replace(folder / _CONTROL_NAME)


def read_contact(folder: Path) -> Contact | None:
    """How to talk to the launcher that holds the folder; None if there is none."""
    try:
        told = json.loads((folder / _CONTROL_NAME).read_text("utf-8"))
        found = Contact(int(told["port"]), str(told["token"]), int(told["pid"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if 0 < found.port < 65536 else None
