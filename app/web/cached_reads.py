"""Reads files in pieces: at once what the system has in memory, in a thread what is on the disk.

A thread for each piece costs more than reading and sending it.
"""

import asyncio
import os
from io import FileIO

PIECE_BYTES = 96 * 1024
"""Larger ones come from fresh memory of the system each time (glibc: from 128 KiB on), which
makes them slower."""

_DISK_PIECE_BYTES = 256 * 1024
# Linux 4.14 and later. Without it every piece is read in a thread.
_NOWAIT: int | None = getattr(os, "RWF_NOWAIT", None)


class CachedReads:
    """Reads for one event loop."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(PIECE_BYTES))

    async def read(self, file: FileIO, position: int, size_bytes: int) -> bytes:
        """Some of the `size_bytes` (at least 1) bytes from `position` on; none at the end.

        Moves the file's own position. Raises OSError.
        """
        return self._cached(file, position, size_bytes) or await asyncio.to_thread(
            _from_disk, file, position, min(size_bytes, _DISK_PIECE_BYTES)
        )

    def _cached(self, file: FileIO, position: int, size_bytes: int) -> bytes:
        """Nothing when it would have to wait. Linux 5.9 also gives nothing for no reason."""
        if _NOWAIT is None:
            return b""
        buffer = self._buffer[:size_bytes]
        try:
            count = os.preadv(file.fileno(), [buffer], position, _NOWAIT)
        except OSError:  # not in memory, or a file system that cannot tell
            return b""
        return bytes(buffer[:count])


def _from_disk(file: FileIO, position: int, size_bytes: int) -> bytes:
    file.seek(position)
    return file.read(size_bytes)
