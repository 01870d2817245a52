"""Tests of `app/jobs/overview.py`, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from app.jobs.models import Job, JobStatus, Lane
from app.jobs.overview import Overview, overview
from tests.building import OWNER, STRANGER, claimed, make_job, make_queue, make_user

pytestmark = pytest.mark.usefixtures("owner")
NOW = datetime(2026, 5, 1, tzinfo=UTC)


async def seen(owner_id: str = OWNER) -> Overview:
    return await overview(owner_id, Lane.GENERATION, now=NOW)


async def done(duration_s: float) -> None:
    """A job that took so long."""
    job = await make_job(make_queue())
    await Job.filter(id=job.id).update(
        status=JobStatus.SUCCEEDED, started_at=NOW, finished_at=NOW + timedelta(seconds=duration_s)
    )


async def test_places_count_everybodys_jobs_and_estimates_add_up() -> None:
    await make_user(STRANGER)
    await done(8)
    await done(12)
    queue = make_queue()
    await queue.recover()
    owners = (OWNER, STRANGER, OWNER, STRANGER, OWNER)
    jobs = [await make_job(queue, owner_id=owner_id) for owner_id in owners]
    running = await claimed(queue)
    await Job.filter(id=running.id).update(started_at=NOW - timedelta(seconds=4))
    found = await seen()
    assert found.waiting == 4
    assert [(one.job.id, one.place, one.eta_s) for one in found.jobs] == [
        (jobs[0].id, 0, 6), (jobs[2].id, 2, 26), (jobs[4].id, 4, 46),
    ]  # fmt: skip
    assert [one.place for one in (await seen(STRANGER)).jobs] == [1, 3]


async def test_nothing_is_estimated_before_any_job_was_done() -> None:
    job = await make_job(make_queue())
    (one,) = (await seen()).jobs
    assert (one.job.id, one.place, one.eta_s) == (job.id, 1, None)


async def test_jobs_that_failed_lately_are_there_to_be_retried() -> None:
    ages = {"failed-lately": timedelta(hours=23), "failed-long-ago": timedelta(hours=25)}
    for job_id, age in ages.items():
        await make_job(make_queue(), job_id=job_id)
        await Job.filter(id=job_id).update(
            status=JobStatus.FAILED, error="for a reason", finished_at=NOW - age
        )
    (one,) = (await seen()).jobs
    assert (one.job.id, one.place, one.job.error) == ("failed-lately", None, "for a reason")


async def test_nobody_without_jobs_sees_any() -> None:
    await make_job(make_queue())
    found = await seen(STRANGER)
    assert (list(found.jobs), found.waiting) == ([], 1)
