"""Tests of `app/jobs/lookup.py`, on both databases."""

import pytest

from app.errors import NotFound
from app.jobs.lookup import job_of
from app.jobs.queue import JobQueue
from tests.building import OWNER, STRANGER, make_job


async def test_job_is_found_by_its_owner_and_by_administrators(queue: JobQueue) -> None:
    job = await make_job(queue)
    assert (await job_of(job.id, OWNER, is_administrator=False)).number == job.number
    assert (await job_of(job.id, STRANGER, is_administrator=True)).number == job.number


async def test_foreign_and_missing_jobs_are_refused_alike(queue: JobQueue) -> None:
    job = await make_job(queue)
    refused = []
    for job_id, caller_id in (
        (job.id, STRANGER),
        ("missing0", OWNER),
        (job.id.upper(), OWNER),
        (f"{job.id} ", OWNER),
        ("", OWNER),
        ("x" * 5000, OWNER),
    ):
        with pytest.raises(NotFound) as raised:
            await job_of(job_id, caller_id, is_administrator=False)
        refused.append((raised.value.message, raised.value.code, raised.value.status))
    assert set(refused) == {("Task not found", "TASK_NOT_FOUND", 404)}
