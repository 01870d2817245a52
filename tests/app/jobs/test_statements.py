"""Tests of the statements that every job goes through, on both databases."""

import contextlib
from datetime import UTC, datetime

import pytest
from tortoise.transactions import in_transaction

from app.jobs.models import Job, JobStatus
from app.jobs.statements import mark_ended, mark_running
from tests.building import claimed, make_job, make_queue

pytestmark = pytest.mark.usefixtures("owner")


def is_now(moment: datetime | None) -> bool:
    return moment is not None and abs((datetime.now(UTC) - moment).total_seconds()) < 60


async def _end_and_fail(numbers: list[int]) -> None:
    async with in_transaction() as connection:
        await mark_ended(numbers, JobStatus.SUCCEEDED, connection)
        raise ZeroDivisionError


async def test_waiting_job_is_marked_as_running_once() -> None:
    queue = make_queue()
    job, other = [await make_job(queue) for _ in range(2)]
    assert await mark_running(job)
    row = await Job.get(id=job.id)
    assert (row.status, row.runs) == (job.status, job.runs) == (JobStatus.RUNNING, 1)
    assert is_now(row.started_at)
    assert not await mark_running(row)
    assert (await Job.get(id=job.id)).runs == row.runs == 1
    assert (await Job.get(id=other.id)).status == JobStatus.QUEUED


async def test_moments_are_read_as_they_were_written() -> None:
    job = await make_job(make_queue())
    await mark_running(job)
    assert (await Job.get(id=job.id)).started_at == job.started_at
    assert await Job.exists(id=job.id, started_at=job.started_at)


async def test_several_jobs_end_in_one_transaction_or_not_at_all() -> None:
    queue = make_queue()
    jobs = [await make_job(queue) for _ in range(3)]
    numbers = [job.number for job in jobs[:2]]
    with contextlib.suppress(ZeroDivisionError):
        await _end_and_fail(numbers)
    assert await Job.filter(status=JobStatus.QUEUED).count() == 3
    async with in_transaction() as connection:
        await mark_ended(numbers, JobStatus.SUCCEEDED, connection)
    rows = [await Job.get(number=number) for number in numbers]
    assert [row.status for row in rows] == [JobStatus.SUCCEEDED] * 2
    assert all(is_now(row.finished_at) for row in rows)
    assert (await Job.get(id=jobs[2].id)).status == JobStatus.QUEUED


async def test_job_that_runs_has_no_error_any_more() -> None:
    queue = make_queue()
    await make_job(queue)
    await queue.requeue(await claimed(queue), error="Forge does not answer.")
    job = await claimed(queue)
    assert not any([job.error, (await Job.get(id=job.id)).error])
