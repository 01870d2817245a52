"""A file that is being collected under another name. Blocks; does not know where it comes from."""

import contextlib
import errno
import hashlib
import os
import threading
import time
from pathlib import Path
from typing import BinaryIO

from app.errors import NavigatorError
from app.files import flush_folder

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CHUNK_BYTES = 1024 * 1024
_NO_LINKS = frozenset(
    {errno.EINVAL, errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK}
)


class Taken(NavigatorError):
    """There is a file of the final name already."""

    status = 409
    code = "FILE_EXISTS"


class PartialFile:
    """The collected part, its size in bytes and the hash of it. One thread uses it."""

    def __init__(self, path: Path, file: BinaryIO):
        self._path = path
        self._file = file
        self._digest = hashlib.sha256()
        self._lock = threading.Lock()  # a number of a closed file may be that of another one
        self._is_closed = False
        self.size_bytes = 0

    @classmethod
    def open(cls, path: Path) -> "PartialFile":
        """Opens what is there, or begins. Makes the folder. Raises OSError."""
        path.parent.mkdir(exist_ok=True)  # not those above: a disk may be missing there
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        return cls(path, os.fdopen(descriptor, "r+b", buffering=0))

    @property
    def sha256(self) -> str:
        """Of what is there, in lower case."""
        return self._digest.hexdigest()

    def read(self) -> None:
        """Reads what is there, to know its hash."""
        while chunk := self._read_chunk():
            self._digest.update(chunk)
            self.size_bytes += len(chunk)

    def restart(self) -> None:
        """Forgets what is there."""
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> None:
        """Adds to it. Raises OSError."""
        view = memoryview(data)
        with self._lock:
            while view and not self._is_closed:
                written = self._file.write(view)
                self._digest.update(view[:written])
                self.size_bytes += written
                view = view[written:]

    def finish(self, target: Path) -> str:
        """Makes it `target`, for good; gives the SHA-256. Raises `Taken`, never overwrites."""
        with self._lock:
            os.fsync(self._file.fileno())
        self.close()
        try:
            _move(self._path, target)
        except FileExistsError as error:
            raise Taken(f"There is a file {target.name} already.") from error
        flush_folder(target.parent)
        return self.sha256

    def remove(self) -> None:
        """Closes and removes it."""
        self.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Ends what another thread does with it, too."""
        with self._lock, contextlib.suppress(OSError):
            self._is_closed = True
            self._file.close()

    def _read_chunk(self) -> bytes:
        with self._lock:
            return b"" if self._is_closed else self._file.read(_CHUNK_BYTES)


def _move(source: Path, target: Path) -> None:
    """A rename that does not replace. Raises FileExistsError."""
    try:
        os.link(source, target)  # on Windows, too
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(target) from error
        source.rename(target)
        return
    for patience_s in (0.1, 0.5, 2.0):  # of whoever looks into new files, as virus scanners do
        try:
            source.unlink()
        except PermissionError:
            time.sleep(patience_s)
        else:
            return
