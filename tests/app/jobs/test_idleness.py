"""Tests of idle periods, as the queue keeps them."""

import asyncio

import pytest
from tortoise.transactions import in_transaction

from app.errors import NotFound
from app.jobs.models import Job, JobKind, JobStatus, Lane
from app.jobs.queue import JobQueue
from app.tasks import running
from tests.building import OWNER, claimed, make_job, make_queue
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("owner")

LANE = Lane.GENERATION


async def test_lane_is_idle_from_the_start_on(queue: JobQueue) -> None:
    assert queue.idle.since(LANE) is not None
    assert await queue.idle.wait(LANE) == queue.idle.since(LANE)


async def test_job_that_waits_from_before_the_start_ends_idleness(queue: JobQueue) -> None:
    await make_job(queue)
    after = make_queue()
    assert after.idle.since(LANE) is None
    await after.recover()
    assert after.idle.since(LANE) is None


async def test_lane_is_busy_until_the_job_is_stored(queue: JobQueue) -> None:
    await make_job(queue)
    assert queue.idle.since(LANE) is None
    job = await claimed(queue)
    assert queue.idle.since(LANE) is None
    async with in_transaction() as connection:
        await queue.finish([job], connection)
    assert queue.idle.since(LANE) is None
    queue.forget(job)
    assert queue.idle.since(LANE) is not None


async def test_waiting_gives_the_next_period_and_not_the_same_again(queue: JobQueue) -> None:
    first = queue.idle.since(LANE)
    periods: list[object] = []

    async def wait() -> None:
        periods.append(await queue.idle.wait(LANE, after=first))

    async with running(wait()) as waiting:
        job = await make_job(queue)
        await make_job(queue)
        await queue.fail(await claimed(queue), "no")
        assert (periods, queue.idle.since(LANE)) == ([], None)
        await queue.fail(await claimed(queue), "no")
        await asyncio.wait([waiting])
    assert periods == [queue.idle.since(LANE)]
    assert periods != [first]
    assert await Job.exists(id=job.id, status=JobStatus.FAILED)


async def test_cancelled_waiting_job_makes_the_lane_idle_again(queue: JobQueue) -> None:
    job = await make_job(queue)
    await queue.cancel(job.id, caller_id=OWNER, is_administrator=False)
    assert queue.idle.since(LANE) is not None


async def test_job_that_is_put_back_waits(queue: JobQueue) -> None:
    """Also before the queue has taken stock of it."""
    await make_job(queue)
    job = await claimed(queue)
    await queue.requeue(job, error="Forge does not answer.")
    assert queue.idle.since(LANE) is None
    again = await claimed(queue)
    assert (again.id, queue.idle.since(LANE)) == (job.id, None)
    await queue.fail(again, "no")
    await until(lambda: queue.idle.since(LANE))


async def test_refused_job_changes_nothing(queue: JobQueue) -> None:
    since = queue.idle.since(LANE)
    with pytest.raises(NotFound):
        await queue.cancel("nothing-there", caller_id=OWNER, is_administrator=False)
    assert queue.idle.since(LANE) == since


async def test_download_that_is_put_back_ends_no_idleness_of_the_gpu(queue: JobQueue) -> None:
    """Else a CivitAI that is away would keep a checkpoint loaded for ever."""
    since = queue.idle.since(LANE)
    await queue.submit(JobKind.DOWNLOAD, {}, owner_id=OWNER, origin="127.0.0.1")
    for _ in range(2):
        job = await queue.claim(Lane.DOWNLOAD)
        assert job is not None
        await queue.requeue(job, error="CivitAI cannot be reached.")
        assert queue.idle.since(Lane.DOWNLOAD) is None
    assert queue.idle.since(LANE) == since
