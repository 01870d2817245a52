"""Tests of `app/jobs/erasing.py`, on both databases."""

import asyncio

import pytest

from app.errors import Conflict
from app.jobs.erasing import JobEraser
from app.jobs.models import Job, JobStatus, Lane
from app.jobs.queue import JobQueue
from tests.building import OWNER, STRANGER, make_job, make_user
from tests.waiting import until


async def test_waiting_and_ended_jobs_of_the_user_go(queue: JobQueue) -> None:
    await make_user(STRANGER)
    for status in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED):
        job = await make_job(queue)
        await Job.filter(id=job.id).update(status=status)
    waiting = await make_job(queue)
    kept = await make_job(queue, owner_id=STRANGER)
    removed: list[str] = []

    async def note(job_id: str) -> None:
        removed.append(job_id)

    await JobEraser(queue, removed=[note]).erase(OWNER, True)
    assert [job.id for job in await Job.all()] == [kept.id]
    assert removed == [waiting.id]


async def test_ids_of_pictures_that_stay_are_not_free(queue: JobQueue) -> None:
    job = await make_job(queue, prompt="a secret")
    await Job.filter(id=job.id).update(status=JobStatus.SUCCEEDED)
    await JobEraser(queue).erase(OWNER, False)
    left = await Job.get()
    assert (left.id, left.parameters, left.origin) == (job.id, {}, "")
    with pytest.raises(Conflict):
        await make_job(queue, job_id=job.id)


async def test_running_job_is_asked_to_stop_and_waited_for(queue: JobQueue) -> None:
    await make_job(queue)
    job = await queue.claim(Lane.GENERATION)
    assert job is not None
    erasing = asyncio.create_task(JobEraser(queue).erase(OWNER, True))
    await until(queue.cancellation(job.id).is_set)
    assert not erasing.done()
    await queue.fail(job, "stopped")
    await erasing
    assert not await Job.exists()


async def test_job_that_does_not_stop_is_told_and_stays(queue: JobQueue) -> None:
    await make_job(queue)
    assert await queue.claim(Lane.GENERATION) is not None
    with pytest.raises(Conflict, match="still running"):
        await JobEraser(queue, patience_s=0).erase(OWNER, False)
    assert await Job.filter(status=JobStatus.RUNNING).count() == 1
