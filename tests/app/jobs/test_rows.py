"""Tests of `app/jobs/rows.py`: taking stock of the table, on both databases."""

import pytest

from app.jobs.models import Job, JobStatus, Lane
from app.jobs.queue import JobQueue
from app.jobs.rows import put_back, queue_again, take_stock
from tests.building import OWNER, claimed, claimed_ids, make_job


async def test_empty_table_has_nothing(queue: JobQueue) -> None:
    stock = await take_stock([])
    assert (stock.requeued, stock.last_position, list(stock.waiting)) == (0, 0, [])


@pytest.mark.parametrize("is_running", [True, False])
async def test_job_that_runs_only_in_the_table_waits_again(
    queue: JobQueue, is_running: bool
) -> None:
    job, other = await make_job(queue), await make_job(queue)
    await claimed(queue)
    stock = await take_stock([job.id] if is_running else [])
    assert (stock.requeued, stock.last_position) == (0 if is_running else 1, other.position)
    assert list(stock.waiting) == [(Lane.GENERATION, OWNER, None)] * (1 if is_running else 2)


async def test_failed_job_is_queued_as_if_it_had_never_run(queue: JobQueue) -> None:
    await make_job(queue)
    job = await claimed(queue)
    job.attempts = 3
    await queue.fail(job, "for a reason")
    await queue_again(job, 7)
    row = await Job.get(id=job.id)
    assert (row.status, row.attempts, row.position) == (JobStatus.QUEUED, 0, 7)
    assert not any([row.error, row.finished_at, row.cancel_requested])


async def test_job_that_is_put_back_says_why_it_waits(queue: JobQueue) -> None:
    await make_job(queue)
    job = await claimed(queue)
    await put_back(job, 7, "CivitAI cannot be reached.")
    row = await Job.get(id=job.id)
    assert (row.status, row.position) == (JobStatus.QUEUED, 7)
    assert row.error == "CivitAI cannot be reached."
    await put_back(job, 8, "too late")
    assert (await Job.get(id=job.id)).position == 7


@pytest.mark.parametrize("behind", [True, False])
async def test_job_that_is_put_back_keeps_its_place_or_gives_way(
    queue: JobQueue, behind: bool
) -> None:
    jobs = [await make_job(queue) for _ in range(3)]
    await queue.requeue(await claimed(queue), behind=behind)
    last = await make_job(queue)
    order = [*jobs[1:], jobs[0]] if behind else jobs
    assert await claimed_ids(queue) == [job.id for job in (*order, last)]
