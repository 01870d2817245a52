"""Thumbnails on disk, bounded by their total size: those not used for longest go first.

Blocking work for threads, several at a time. Whatever cannot be read or written counts as absent.
"""

import contextlib
import logging
import os
import secrets
import threading
import time
from collections import OrderedDict
from pathlib import Path

from app.files import PARTIAL_SUFFIX

log = logging.getLogger(__name__)

_SUFFIX = ".webp"
_RIFF_HEADER_BYTES = 8
# How exactly a restart remembers what was used when; noting every use would be a write each.
_USE_NOTED_EVERY_S = 3600.0


class ThumbnailCache:
    """The folder of thumbnails, `<first two characters of a name>/<name>.webp`.

    Names are lower-case letters and digits, then `-` and what else tells one from another.
    """

    def __init__(self, folder: Path, *, max_bytes: int):
        """At most `max_bytes` in all; 0 keeps nothing."""
        self._folder = folder
        self._max_bytes = max_bytes
        self._sizes_bytes: OrderedDict[str, int] = OrderedDict()  # longest unused first
        self._total_bytes = 0
        self._lock = threading.Lock()
        # Our own, so that `scan` tells what a crash left behind from what is being written.
        self._partial_suffix = f".{secrets.token_hex(4)}{PARTIAL_SUFFIX}"
        self._is_failing = False

    @property
    def total_bytes(self) -> int:
        """How much is known to be there."""
        return self._total_bytes

    def scan(self) -> None:
        """Learns what earlier runs left, removes what crashes left half-written, keeps the bound.

        May run beside everything else.
        """
        try:
            found = self._found()
        except OSError as error:
            log.warning("thumbnails of earlier cannot be listed: %s", error)
            return
        with self._lock:
            newer = self._sizes_bytes
            self._sizes_bytes = OrderedDict(
                (name, size_bytes) for _, name, size_bytes in sorted(found) if name not in newer
            )
            self._total_bytes += sum(self._sizes_bytes.values())
            self._sizes_bytes.update(newer)
        self._evict()

    def read(self, name: str) -> bytes | None:
        """The thumbnail, or None; counts as a use."""
        path = self._path(name)
        is_known = name in self._sizes_bytes
        try:
            with path.open("rb") as file:
                used_s = os.fstat(file.fileno()).st_mtime
                content = file.read()
        except OSError:
            content, used_s = b"", 0.0
        # Files are not flushed, so that a power cut may leave a part of one.
        if not _is_whole(content):
            if is_known:  # else somebody may be writing it
                self._forget(name)
            return None
        with self._lock:
            if name in self._sizes_bytes:
                self._sizes_bytes.move_to_end(name)
        if abs(time.time() - used_s) > _USE_NOTED_EVERY_S:
            with contextlib.suppress(OSError):
                os.utime(path)
        return content

    def write(self, name: str, content: bytes) -> None:
        """Keeps the thumbnail if that is possible, and makes room for it."""
        if len(content) > self._max_bytes:
            return
        path = self._path(name)
        partial = path.with_name(path.name + self._partial_suffix)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            if not self._is_failing:  # once: a full disk would fill the log as well
                log.warning("thumbnails cannot be kept: %s", error)
            self._is_failing = True
            return
        self._is_failing = False
        with self._lock:
            self._total_bytes += len(content) - self._sizes_bytes.pop(name, 0)
            self._sizes_bytes[name] = len(content)
        self._evict()

    def remove(self, start: str) -> None:
        """Removes every thumbnail whose name is `start`, `-` and more."""
        for path in self._folder.glob(f"{start[:2]}/{start}-*{_SUFFIX}"):
            self._discard(path.stem)

    def _found(self) -> list[tuple[float, str, int]]:
        """When each thumbnail was used, its name, its bytes. Removes half-written ones."""
        found: list[tuple[float, str, int]] = []
        for path in self._folder.glob("*/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                if path.suffix == _SUFFIX:
                    found.append((status.st_mtime, path.stem, status.st_size))
                elif path.suffix == PARTIAL_SUFFIX and not path.name.endswith(self._partial_suffix):
                    path.unlink()
        return found

    def _evict(self) -> None:
        while True:
            with self._lock:
                if self._total_bytes <= self._max_bytes or not self._sizes_bytes:
                    return
                oldest = next(iter(self._sizes_bytes))
            self._discard(oldest)

    def _discard(self, name: str) -> None:
        self._forget(name)
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:  # on Windows, while it is being read
            log.warning("a thumbnail cannot be removed: %s", error)

    def _forget(self, name: str) -> None:
        with self._lock:
            self._total_bytes -= self._sizes_bytes.pop(name, 0)

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}{_SUFFIX}"


def _is_whole(content: bytes) -> bool:
    """Whether this is as long as its own header says (RIFF, which WebP stands in)."""
    size_bytes = int.from_bytes(content[4:_RIFF_HEADER_BYTES], "little")
    return content[:4] == b"RIFF" and size_bytes + _RIFF_HEADER_BYTES == len(content)
