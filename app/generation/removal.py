"""Removes a picture with all that belongs to it, to the end: also when whoever asked has gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from app.generation.gallery import Gallery
from app.generation.images import ImageStore
from app.generation.models import Image
from app.generation.thumbnails import Thumbnails
from app.jobs.models import Job, JobStatus
from app.jobs.queue import JobQueue


class PictureRemoval:
    """Removes pictures: row, file, preview, thumbnails, and the job, whose id is free then."""

    def __init__(
        self, gallery: Gallery, images: ImageStore, thumbnails: Thumbnails, queue: JobQueue
    ):
        self._gallery = gallery
        self._images = images
        self._thumbnails = thumbnails
        self._queue = queue
        self._removing: set[asyncio.Task[None]] = set()

    async def remove(self, image_id: str, *, owner_id: str) -> None:
        """Removes a picture of the user's, if there is one, and what a crash left of one."""
        task = asyncio.create_task(self._remove(image_id, owner_id))
        self._removing.add(task)
        task.add_done_callback(self._removing.discard)
        await asyncio.shield(task)

    @contextlib.asynccontextmanager
    async def finishing(self) -> AsyncIterator[None]:
        """At the end of the block, nothing is half removed."""
        try:
            yield
        finally:
            while self._removing:
                await asyncio.wait(self._removing)

    async def _remove(self, image_id: str, owner_id: str) -> None:
        if not await self._gallery.remove(image_id, owner_id=owner_id):
            if not await _was_removed(image_id, owner_id):
                return
            await self._images.remove(image_id)
        await self._thumbnails.remove(image_id)
        await self._queue.erase(image_id)


async def _was_removed(image_id: str, owner_id: str) -> bool:
    """Whether a job of the user's has made a picture that has no row any more."""
    done = (JobStatus.SUCCEEDED, JobStatus.CANCELLED)
    if not await Job.exists(id=image_id, owner_id=owner_id, status__in=done):
        return False
    return not await Image.exists(id=image_id)
