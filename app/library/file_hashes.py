"""The SHA-256 of model files: computed off the event loop, one at a time, and remembered."""

import asyncio
import hashlib
import threading
from pathlib import Path

from app.database.connection import is_unavailable
from app.library.model_folder import ModelFolder
from app.library.models import PATH_CHARS, FileHash
from app.tasks import cancel

_CHUNK_BYTES = 1024 * 1024


class FileHashes:
    """Hashes by path, size and time of change, kept in the database.

    The disk is read by one thread of ours at a time, so that neither jobs nor requests notice.
    """

    def __init__(self, folder: ModelFolder):
        self._folder = folder
        self._one = asyncio.Semaphore(1)
        self._running: dict[tuple[str, int, int], asyncio.Task[str]] = {}

    async def sha256(self, file: Path) -> str:
        """The 64 lower-case hexadecimal digits of a file in the folder. Raises OSError.

        Who asks for a file that is being read waits for the same.
        """
        state = await asyncio.to_thread(file.stat)
        path = await asyncio.to_thread(self._folder.relative, file)
        key = (path, state.st_size, state.st_mtime_ns)
        known = await _known(key)
        if known is not None:
            return known
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._computed(file, key))
            task.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Stops reading files."""
        for task in list(self._running.values()):
            await cancel(task)

    async def remember(self, file: Path, sha256: str) -> None:
        """Keeps the hash of a file that was computed when it was written."""
        state = await asyncio.to_thread(file.stat)
        path = await asyncio.to_thread(self._folder.relative, file)
        await _keep((path, state.st_size, state.st_mtime_ns), sha256.lower())

    async def _computed(self, file: Path, key: tuple[str, int, int]) -> str:
        async with self._one:
            stop = threading.Event()
            try:
                sha256 = await asyncio.to_thread(_hash, file, stop)
            finally:
                stop.set()  # the thread does not notice by itself that nobody waits any more
            await _keep(key, sha256)
        return sha256


async def _known(key: tuple[str, int, int]) -> str | None:
    path, size_bytes, modified_ns = key
    if len(path) > PATH_CHARS:
        return None
    try:
        row = await FileHash.get_or_none(path=path, size_bytes=size_bytes, modified_ns=modified_ns)
    except Exception as error:
        if not is_unavailable(error):
            raise
        return None
    return None if row is None else row.sha256


async def _keep(key: tuple[str, int, int], sha256: str) -> None:
    """While the database is away, the file is read again another time."""
    path, size_bytes, modified_ns = key
    if len(path) > PATH_CHARS:
        return
    state = {"size_bytes": size_bytes, "modified_ns": modified_ns, "sha256": sha256}
    try:
        await FileHash.update_or_create(defaults=state, path=path)
    except Exception as error:
        if not is_unavailable(error):
            raise


def _hash(file: Path, stop: threading.Event) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while not stop.is_set() and (chunk := opened.read(_CHUNK_BYTES)):
            digest.update(chunk)
    return digest.hexdigest()
