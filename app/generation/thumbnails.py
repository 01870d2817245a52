"""Thumbnails of pictures: made on demand, each one once at a time, and kept on disk.

Who may see them, and whether the picture is still there, is for the caller to know.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.generation.images import ImageStore
from app.generation.stored_pictures import image_missing
from app.generation.thumbnail_cache import ThumbnailCache
from app.scaling import scaled

SIZES_PX = (128, 256, 512, 1024)
DEFAULT_SIZE_PX = 256
# A decoded picture may take hundreds of megabytes, and the loop needs a core as well.
_MAX_DECODES = 2


class Thumbnails:
    """Gives thumbnails of the pictures in `images`. Open it with `opened`."""

    def __init__(self, folder: Path, images: ImageStore, *, max_bytes: int):
        """At most `max_bytes` are kept in `folder`."""
        self._images = images
        self._cache = ThumbnailCache(folder, max_bytes=max_bytes)
        # Of its own: in the one that all share, a gallery's page would keep pictures waiting.
        self._pool = ThreadPoolExecutor(_MAX_DECODES, thread_name_prefix="thumbnail")
        self._making: dict[str, asyncio.Future[bytes]] = {}

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Learns beside the block what is kept already; at its end nothing is being made."""
        self._pool.submit(self._cache.scan)
        try:
            yield
        finally:
            await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    async def get(self, image_id: str, file_name: str, sha256: str, size_px: int) -> bytes:
        """WebP of the stored picture; its longest side is `size_px` or the picture's own.

        `sha256` is that of the picture's bytes. Raises `NotFound` when its file is gone,
        `UnreadablePicture` when it is damaged or too large.
        """
        name = f"{_start_of(image_id)}-{sha256[:16]}-{size_px}"
        picture = self._images.path(file_name)
        if name not in self._making:
            kept = await asyncio.to_thread(self._kept, name, picture)
            if kept is not None:
                return kept
        making = self._making.get(name)
        if making is None:
            making = asyncio.get_running_loop().run_in_executor(
                self._pool, self._make, name, picture, size_px
            )
            self._making[name] = making
            making.add_done_callback(lambda made: self._forget(name, made))
        # Others may wait for it too, so it goes on when one of them is cancelled.
        return await asyncio.shield(making)

    async def remove(self, image_id: str) -> None:
        """Removes what is kept of a picture. Call it when its row and its file are gone."""
        start = _start_of(image_id)
        if making := [each for name, each in self._making.items() if name.startswith(start)]:
            await asyncio.wait(making)
        await asyncio.to_thread(self._cache.remove, start)

    def _kept(self, name: str, picture: Path) -> bytes | None:
        return self._cache.read(name) if picture.exists() else None

    def _make(self, name: str, picture: Path, size_px: int) -> bytes:
        # It may have been made between our look and our turn.
        if (kept := self._kept(name, picture)) is not None:
            return kept
        try:
            file = picture.open("rb")
        except OSError as error:
            raise image_missing() from error
        with file:
            content = scaled(file, size_px)
        self._cache.write(name, content)
        if not picture.exists():  # deleted meanwhile, perhaps after its thumbnails were removed
            self._cache.remove(_start_of_name(name))
        return content

    def _forget(self, name: str, made: asyncio.Future[bytes]) -> None:
        del self._making[name]
        if not made.cancelled():
            made.exception()  # seen, also when whoever waited was cancelled


def size_at_least(wanted_px: int) -> int:
    """The smallest of `SIZES_PX` that is not less than `wanted_px`, which none may exceed."""
    return next(size_px for size_px in SIZES_PX if size_px >= wanted_px)


def _start_of(image_id: str) -> str:
    # Some file systems take "a" and "A" for the same name; ids do not.
    return hashlib.sha256(image_id.encode()).hexdigest()[:32]


def _start_of_name(name: str) -> str:
    return name.partition("-")[0]
