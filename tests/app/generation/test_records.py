"""Tests of making pictures known: all, each once, and soon. Both databases."""

import asyncio

import pytest
from tortoise.exceptions import IntegrityError

from app.generation.models import Image
from app.generation.picture_counts import PictureCounts
from app.generation.records import ImageRecords
from app.jobs.models import Job, JobStatus, Lane
from app.jobs.queue import JobQueue
from tests.app.generation.pictures import new_image
from tests.building import OWNER, make_job

pytestmark = pytest.mark.usefixtures("owner")


async def running(queue: JobQueue) -> Job:
    await make_job(queue)
    job = await queue.claim(Lane.GENERATION)
    assert job is not None
    return job


def image(job: Job, *, owner_id: str = OWNER) -> Image:
    return new_image(
        job.id,
        owner_id=owner_id,
        size_bytes=3_000_000_000,
        width=512,
        height=640,
        infotext="a fox 🦊\nSteps: 2",
        parameters={"Prompt": "a fox 🦊", "Steps": "2"},
    )


async def statuses() -> list[str]:
    """Of all jobs, in their order."""
    found = await Job.all().order_by("number").values_list("status", flat=True)
    return [str(status) for status in found]


async def test_row_of_a_picture_holds_what_it_was_given(queue: JobQueue) -> None:
    job = await running(queue)
    await ImageRecords(queue, PictureCounts()).add(image(job), job)
    row = await Image.get(id=job.id)
    assert (row.owner_id, row.size_bytes, row.width, row.height) == (OWNER, 3_000_000_000, 512, 640)
    assert row.infotext == "a fox 🦊\nSteps: 2"
    assert row.parameters == {"Prompt": "a fox 🦊", "Steps": "2"}
    assert await statuses() == [JobStatus.SUCCEEDED]


async def test_pictures_that_are_ready_together_are_all_there_once(queue: JobQueue) -> None:
    jobs = [await running(queue) for _ in range(20)]
    records = ImageRecords(queue, PictureCounts())
    await asyncio.gather(*(records.add(image(job), job) for job in jobs))
    assert await Image.all().count() == 20
    assert set(await statuses()) == {JobStatus.SUCCEEDED}


async def test_job_that_was_cancelled_in_time_ends_as_cancelled_with_its_picture(
    queue: JobQueue,
) -> None:
    jobs = [await running(queue) for _ in range(3)]
    await queue.cancel(jobs[1].id, caller_id=OWNER, is_administrator=False)
    records = ImageRecords(queue, PictureCounts())
    await asyncio.gather(*(records.add(image(job), job) for job in jobs))
    assert await statuses() == [JobStatus.SUCCEEDED, JobStatus.CANCELLED, JobStatus.SUCCEEDED]
    assert await Image.all().count() == 3


async def test_picture_that_is_there_already_only_ends_its_job(queue: JobQueue) -> None:
    """So it looks when the answer to the first commit was lost."""
    jobs = [await running(queue) for _ in range(3)]
    records = ImageRecords(queue, PictureCounts())
    await records.add(image(jobs[0]), jobs[0])
    await Job.filter(id=jobs[0].id).update(status=JobStatus.RUNNING)
    await asyncio.gather(*(records.add(image(job), job) for job in jobs))
    assert set(await statuses()) == {JobStatus.SUCCEEDED}
    assert await Image.all().count() == 3


async def test_picture_that_cannot_be_committed_does_not_take_others_with_it(
    queue: JobQueue,
) -> None:
    jobs = [await running(queue) for _ in range(3)]
    records = ImageRecords(queue, PictureCounts())
    images = [image(job, owner_id="nobody" if job is jobs[1] else OWNER) for job in jobs]
    results = await asyncio.gather(
        *(records.add(image, job) for image, job in zip(images, jobs, strict=True)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), IntegrityError, type(None)]
    assert await statuses() == [JobStatus.SUCCEEDED, JobStatus.RUNNING, JobStatus.SUCCEEDED]
    assert await Image.all().count() == 2
    later = await running(queue)
    await records.add(image(later), later)
    assert await Image.exists(id=later.id)


async def test_picture_is_known_soon_though_others_keep_coming(queue: JobQueue) -> None:
    """No one commits for those who come later before having been told."""
    records = ImageRecords(queue, PictureCounts())
    jobs = [await running(queue) for _ in range(60)]
    left, done = jobs[1:], 0

    async def keep_coming() -> None:
        nonlocal done
        while left:
            job = left.pop()
            await records.add(image(job), job)
            done += 1

    first = asyncio.create_task(records.add(image(jobs[0]), jobs[0]))
    others = [asyncio.create_task(keep_coming()) for _ in range(3)]
    await first
    assert done < 20
    await asyncio.gather(*others)
    assert await Image.all().count() == 60
