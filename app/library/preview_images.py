"""A small picture for a model, of those that CivitAI shows: fetched once, kept on our disk."""

import asyncio
import io
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from app.clients.civitai_files import CivitaiFiles
from app.errors import NavigatorError
from app.files import write_flushed
from app.scaling import UnreadablePicture, scaled

log = logging.getLogger(__name__)

MAX_SIDE_PX = 450
_MAX_BYTES = 8 * 1024 * 1024
_MAX_PIXELS = 40_000_000
_IN_ALL_S = 60.0
_AGAIN_S = 3600.0
_AT_ONCE = 2
_TRIED = 3
_FAILURES = 1000
_NAME = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)


class PreviewImages:
    """One picture for each model, by the hash of its file, as WebP of at most 450 pixels."""

    def __init__(
        self,
        folder: Path,
        files: CivitaiFiles,
        *,
        clock: Callable[[], float] = time.monotonic,
    ):
        """Pictures are kept in `folder`. What failed is tried again after an hour of `clock`."""
        self._folder = folder
        self._files = files
        self._clock = clock
        self._few = asyncio.Semaphore(_AT_ONCE)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._failed_s: dict[str, float] = {}

    def path(self, file_hash: str, version: Mapping[str, Any]) -> Path | None:
        """Where the picture is or will be; None for what is no hash.

        Each version has its own: the owner may say that CivitAI took a file for another one.
        """
        if not _NAME.fullmatch(file_hash):
            return None
        version_id = version.get("id")
        number = f"-{version_id}" if isinstance(version_id, int) else ""
        return self._folder / f"{file_hash.lower()}{number}.webp"

    async def get(self, file_hash: str, version: Mapping[str, Any]) -> Path | None:
        """The picture of the model with this CivitAI version; None when there is none to be had.

        Who asks at the same time waits for the same. Whoever goes away does not end it.
        """
        path = self.path(file_hash, version)
        if path is None:
            return None
        name = path.stem
        if await asyncio.to_thread(path.is_file):
            return path
        if self._clock() - self._failed_s.get(name, float("-inf")) < _AGAIN_S:
            return None
        task = self._running.get(name)
        if task is None:
            task = asyncio.create_task(self._fetch(name, path, list(_urls(version))))
            self._running[name] = task
            task.add_done_callback(lambda _: self._running.pop(name, None))
        await asyncio.shield(task)
        return path if await asyncio.to_thread(path.is_file) else None

    async def close(self) -> None:
        """Stops fetching."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, name: str, path: Path, urls: list[str]) -> None:
        for url in urls[:_TRIED]:
            try:
                async with self._few, asyncio.timeout(_IN_ALL_S):
                    content = await self._content(url)
                    small = await asyncio.to_thread(
                        scaled, io.BytesIO(content), MAX_SIDE_PX, max_pixels=_MAX_PIXELS
                    )
                    await asyncio.to_thread(write_flushed, path, small)
            except (NavigatorError, OSError) as error:
                log.info("a picture of CivitAI's cannot be shown: %s", error)
            else:
                self._failed_s.pop(name, None)
                return
        if len(self._failed_s) >= _FAILURES:
            self._failed_s.clear()
        self._failed_s[name] = self._clock()

    async def _content(self, url: str) -> bytes:
        gathered = bytearray()
        async with self._files.open(url) as stream:
            async for chunk in stream.chunks():
                gathered += chunk
                if len(gathered) > _MAX_BYTES:
                    raise UnreadablePicture("It is too large.")
        return bytes(gathered)


def _urls(version: Mapping[str, Any]) -> Iterator[str]:
    """Addresses of its still pictures, those for everybody first."""
    images = version.get("images")
    found = [
        (image.get("nsfwLevel", 1) != 1, image["url"])
        for image in (images if isinstance(images, list) else [])
        if isinstance(image, dict)
        and isinstance(image.get("url"), str)
        and image.get("type", "image") == "image"
    ]
    for _, url in sorted(found, key=lambda one: one[0]):
        yield url
