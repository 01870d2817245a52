"""Tests of what a restart makes of the queue, and of retrying."""

from collections.abc import Awaitable, Callable
from datetime import UTC

import pytest

from app.errors import Conflict, NotFound, TooMany
from app.events import EventBus
from app.jobs.allowance import Allowance
from app.jobs.models import Job, JobStatus, Lane
from app.jobs.queue import JobQueue
from tests.building import (
    OWNER,
    STRANGER,
    claimed,
    claimed_ids,
    make_job,
    make_queue,
    make_user,
)

pytestmark = pytest.mark.usefixtures("owner")

LANE = Lane.GENERATION


async def restarted() -> JobQueue:
    """The queue of the next process, the one before having died without a word."""
    queue = make_queue()
    await queue.recover()
    return queue


async def failed(queue: JobQueue) -> Job:
    await make_job(queue)
    job = await claimed(queue)
    job.attempts = 3
    await queue.fail(job, "Forge answered 500.")
    return job


async def retry(queue: JobQueue, job: Job) -> int:
    accepted = await queue.retry(job.id, caller_id=OWNER, is_administrator=False)
    return accepted.queue_size


async def test_restart_keeps_the_order_and_puts_the_running_job_back_first(
    queue: JobQueue,
) -> None:
    jobs = [await make_job(queue) for _ in range(5)]
    await claimed(queue)
    assert await claimed_ids(await restarted()) == [job.id for job in jobs]


async def test_restart_counts_requeued_jobs_and_no_attempt(queue: JobQueue) -> None:
    job = await make_job(queue)
    await queue.fail_attempt(await claimed(queue), "Forge answered 500.")
    await claimed(queue)
    after = make_queue()
    assert await after.recover() == 1
    again = await claimed(after)
    assert (again.id, again.attempts, again.runs) == (job.id, 1, 3)


async def test_any_number_of_restarts_ends_no_job(queue: JobQueue) -> None:
    job = await make_job(queue)
    for _ in range(7):
        await claimed(await restarted())
    row = await Job.get(id=job.id)
    assert (row.status, row.attempts, row.runs) == (JobStatus.RUNNING, 0, 7)


async def test_running_job_that_was_asked_to_stop_ends_as_cancelled(queue: JobQueue) -> None:
    job, other = await make_job(queue), await make_job(queue)
    await claimed(queue)
    await queue.cancel(job.id, caller_id=OWNER, is_administrator=False)
    after = await restarted()
    row = await Job.get(id=job.id)
    assert row.status == JobStatus.CANCELLED
    assert row.finished_at is not None
    assert row.finished_at.tzinfo is UTC or row.finished_at.utcoffset() is not None
    assert await claimed_ids(after) == [other.id]


async def test_ended_jobs_stay_as_they_are(queue: JobQueue) -> None:
    failing = await failed(queue)
    removed = await make_job(queue)
    await queue.cancel(removed.id, caller_id=OWNER, is_administrator=False)
    after = make_queue()
    assert await after.recover() == 0
    assert await after.claim(LANE) is None
    assert (await Job.get(id=failing.id)).status == JobStatus.FAILED
    assert (await Job.get(id=removed.id)).status == JobStatus.CANCELLED


async def test_new_jobs_come_behind_those_from_before_the_restart(queue: JobQueue) -> None:
    old = [await make_job(queue) for _ in range(2)]
    after = await restarted()
    new = await make_job(after)
    assert new.position > max(job.position for job in old)
    assert await claimed_ids(after) == [*(job.id for job in old), new.id]


async def test_place_of_a_retried_job_outlasts_a_restart(queue: JobQueue) -> None:
    first = await failed(queue)
    second = await make_job(queue)
    await retry(queue, first)
    after = await restarted()
    third = await make_job(after)
    assert await claimed_ids(after) == [second.id, first.id, third.id]


async def test_worker_is_woken_by_jobs_from_before_the_restart(queue: JobQueue) -> None:
    await make_job(queue)
    after = await restarted()
    await after.wait(LANE)
    assert len(await claimed_ids(after)) == 1


async def test_retried_job_goes_to_the_end_with_fresh_attempts(queue: JobQueue) -> None:
    first = await failed(queue)
    second = await make_job(queue)
    assert await retry(queue, first) == 2
    row = await Job.get(id=first.id)
    assert (row.status, row.attempts) == (JobStatus.QUEUED, 0)
    assert not row.error
    assert row.finished_at is None
    assert not row.cancel_requested
    ids = [(await claimed(queue)).id]
    again = await claimed(queue)
    assert [*ids, again.id] == [second.id, first.id]
    assert again.runs == 2  # a name at Forge is never used twice
    assert again.parameters == first.parameters


async def test_retried_job_has_three_attempts_again(queue: JobQueue) -> None:
    job = await failed(queue)
    await retry(queue, job)
    for _ in range(2):
        await queue.fail_attempt(await claimed(queue), "Forge answered 500.")
        assert (await Job.get(id=job.id)).status == JobStatus.QUEUED
    await queue.fail_attempt(await claimed(queue), "Forge answered 500.")
    assert (await Job.get(id=job.id)).status == JobStatus.FAILED


async def waiting(queue: JobQueue) -> Job:
    return await make_job(queue)


async def running(queue: JobQueue) -> Job:
    await make_job(queue)
    return await claimed(queue)


async def cancelled(queue: JobQueue) -> Job:
    job = await make_job(queue)
    await queue.cancel(job.id, caller_id=OWNER, is_administrator=False)
    return job


@pytest.mark.parametrize("make", [waiting, running, cancelled])
async def test_only_failed_jobs_can_be_retried(
    queue: JobQueue, make: Callable[[JobQueue], Awaitable[Job]]
) -> None:
    job = await make(queue)
    status = (await Job.get(id=job.id)).status
    with pytest.raises(Conflict, match=status.value):
        await retry(queue, job)
    assert (await Job.get(id=job.id)).status == status


async def test_retrying_a_foreign_job_looks_like_an_unknown_one(queue: JobQueue) -> None:
    await make_user(STRANGER)
    job = await failed(queue)
    for job_id in (job.id, "unknown-job"):
        with pytest.raises(NotFound, match="Task not found"):
            await queue.retry(job_id, caller_id=STRANGER, is_administrator=False)
    assert (await Job.get(id=job.id)).status == JobStatus.FAILED
    await queue.retry(job.id, caller_id=STRANGER, is_administrator=True)
    assert (await Job.get(id=job.id)).owner_id == OWNER


async def test_retrying_twice_queues_once(queue: JobQueue) -> None:
    job = await failed(queue)
    await retry(queue, job)
    with pytest.raises(Conflict):
        await retry(queue, job)
    assert await claimed_ids(queue) == [job.id]


async def test_retrying_respects_the_limit() -> None:
    queue = make_queue(max_queued_per_user=1)
    await queue.recover()
    job = await failed(queue)
    await make_job(queue)
    with pytest.raises(TooMany):
        await retry(queue, job)
    assert (await Job.get(id=job.id)).status == JobStatus.FAILED


async def test_retrying_is_synced_to_the_disk_before_it_is_answered() -> None:
    statuses: list[JobStatus] = []

    async def sync() -> None:
        statuses.extend([job.status for job in await Job.all()])

    queue = JobQueue(
        EventBus(), allowance=Allowance(max_jobs=9, max_bytes=9), max_attempts=1, sync=sync
    )
    await queue.recover()
    job = await failed(queue)
    statuses.clear()
    await retry(queue, job)
    assert statuses == [JobStatus.QUEUED]
