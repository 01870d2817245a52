"""Tests of `app/generation/removal.py`, on both databases: all of a picture goes, or nothing."""

import asyncio
from pathlib import Path

import pytest

from app.generation.gallery import Gallery
from app.generation.images import ImageStore
from app.generation.models import Image
from app.generation.picture_counts import PictureCounts
from app.generation.previews import Previews
from app.generation.removal import PictureRemoval
from app.generation.stored_pictures import StoredPictures
from app.generation.thumbnails import Thumbnails
from app.jobs.models import Job, JobStatus
from app.jobs.queue import JobQueue
from tests.app.generation.pictures import new_image
from tests.app.generation.test_picture_input import PLAIN
from tests.building import OWNER, STRANGER, make_job


class Desk:
    """A removal, and pictures to remove."""

    def __init__(self, folder: Path, queue: JobQueue):
        self.queue = queue
        self.images = ImageStore(folder / "images")
        thumbnails = Thumbnails(folder / "thumbnails", self.images, max_bytes=10**6)
        gallery = Gallery(self.images, StoredPictures(), Previews(), PictureCounts())
        self.removal = PictureRemoval(gallery, self.images, thumbnails, queue)

    async def add(self) -> Job:
        """A finished job with its picture."""
        job = await make_job(self.queue)
        await Job.filter(id=job.id).update(status=JobStatus.SUCCEEDED)
        stored = await self.images.save(job.id, PLAIN)
        image = new_image(job.id)
        image.file_name = stored.file_name
        await image.save(force_create=True)
        return job

    async def left(self, job: Job) -> list[str]:
        """What there is of it."""
        there = {
            "row": await Image.exists(id=job.id),
            "job": await Job.exists(id=job.id),
            "file": any(path.stem == job.id for path in self.images.path("").glob("*/*")),
        }
        return [name for name, is_there in there.items() if is_there]


@pytest.fixture
def desk(tmp_path: Path, queue: JobQueue) -> Desk:
    return Desk(tmp_path, queue)


async def test_everything_of_a_picture_goes(desk: Desk) -> None:
    job, other = await desk.add(), await desk.add()
    await desk.removal.remove(job.id, owner_id=OWNER)
    await desk.removal.remove(job.id, owner_id=OWNER)
    assert await desk.left(job) == []
    assert await desk.left(other) == ["row", "job", "file"]


async def test_pictures_of_others_stay(desk: Desk) -> None:
    job = await desk.add()
    await desk.removal.remove(job.id, owner_id=STRANGER)
    await desk.removal.remove("missing0", owner_id=OWNER)
    assert await desk.left(job) == ["row", "job", "file"]


@pytest.mark.parametrize("steps", range(12))
async def test_removal_goes_on_when_its_client_leaves(desk: Desk, steps: int) -> None:
    job = await desk.add()
    async with desk.removal.finishing():
        asking = asyncio.create_task(desk.removal.remove(job.id, owner_id=OWNER))
        for _ in range(steps + 1):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
    assert await desk.left(job) == []


async def test_what_a_crash_left_goes_when_asked_again(desk: Desk) -> None:
    job = await desk.add()
    await Image.filter(id=job.id).delete()
    await desk.removal.remove(job.id, owner_id=STRANGER)
    assert await desk.left(job) == ["job", "file"]
    await desk.removal.remove(job.id, owner_id=OWNER)
    assert await desk.left(job) == []


async def test_failed_job_without_a_picture_can_still_be_retried(desk: Desk) -> None:
    job = await make_job(desk.queue)
    await Job.filter(id=job.id).update(status=JobStatus.FAILED)
    await desk.removal.remove(job.id, owner_id=OWNER)
    assert await desk.left(job) == ["job"]
