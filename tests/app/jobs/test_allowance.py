"""Tests of `app/jobs/allowance.py` and of what the queue counts against it, on both databases."""

import pytest
from tortoise.transactions import in_transaction

from app.errors import TooMany
from app.jobs.models import Job, JobKind, JobStatus
from app.jobs.queue import JobQueue
from tests.building import ORIGIN, OWNER, STRANGER, claimed, make_parameters, make_queue, make_user

pytestmark = pytest.mark.usefixtures("owner")


async def submit(queue: JobQueue, input_bytes: int | None, owner_id: str = OWNER) -> Job:
    accepted = await queue.submit(
        JobKind.TXT2IMG,
        make_parameters(),
        owner_id=owner_id,
        origin=ORIGIN,
        input_bytes=input_bytes,
    )
    return accepted.job


async def test_limit_of_bytes_is_per_user_and_named() -> None:
    await make_user(STRANGER)
    queue = make_queue(max_queued_bytes_per_user=1000)
    await submit(queue, 600)
    with pytest.raises(TooMany, match="MAX_QUEUED_BYTES_PER_USER") as refused:
        await submit(queue, 401)
    assert refused.value.code == "TOO_MANY_QUEUED_BYTES"
    await submit(queue, 400)
    await submit(queue, 1000, STRANGER)


async def test_job_without_files_passes_when_the_bytes_are_used_up() -> None:
    queue = make_queue(max_queued_bytes_per_user=1000)
    await submit(queue, 1000)
    await submit(queue, None)


async def test_bytes_are_free_again_once_a_job_runs() -> None:
    queue = make_queue(max_queued_bytes_per_user=1000)
    await queue.recover()
    await submit(queue, 1000)
    await claimed(queue)
    await submit(queue, 1000)


async def test_bytes_are_counted_anew_after_a_start() -> None:
    await submit(make_queue(), 600)
    queue = make_queue(max_queued_bytes_per_user=1000)
    await queue.recover()
    with pytest.raises(TooMany):
        await submit(queue, 600)


async def test_bytes_of_a_cancelled_job_are_free_again() -> None:
    queue = make_queue(max_queued_bytes_per_user=1000)
    job = await submit(queue, 1000)
    await queue.cancel(job.id, caller_id=OWNER, is_administrator=False)
    await submit(queue, 1000)


async def test_retried_job_counts_its_bytes() -> None:
    queue = make_queue(max_queued_bytes_per_user=1000)
    await queue.recover()
    job = await submit(queue, 1000)
    await queue.fail(await claimed(queue), "for a reason")
    await submit(queue, 1)
    with pytest.raises(TooMany):
        await queue.retry(job.id, caller_id=OWNER, is_administrator=False)


async def test_only_jobs_that_have_ended_are_erased() -> None:
    queue = make_queue()
    await queue.recover()
    ended, running, waiting = [await submit(queue, None) for _ in range(3)]
    first = await claimed(queue)
    async with in_transaction() as connection:
        await queue.finish([first], connection)
    queue.forget(first)
    await claimed(queue)
    for job in (ended, running, waiting):
        await queue.erase(job.id)
    await queue.erase("there-is-none")
    statuses = await Job.all().order_by("number").values_list("status", flat=True)
    assert [str(status) for status in statuses] == [JobStatus.RUNNING, JobStatus.QUEUED]
