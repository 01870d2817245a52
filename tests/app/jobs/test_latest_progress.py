"""Tests of `app/jobs/latest_progress.py`."""

import pytest

from app.events import EventBus, JobFailed, JobFinished, JobProgressed, JobSnapshot, JobStarted
from app.jobs.latest_progress import LatestProgress
from tests.waiting import until

JOB = JobSnapshot("job-1", "txt2img", "somebody", "127.0.0.1", {})
NEXT = JobSnapshot("job-2", "txt2img", "somebody", "127.0.0.1", {})


def progressed(fraction: float) -> JobProgressed:
    return JobProgressed(JOB, fraction=fraction, eta_s=1, step=1, steps=4)


@pytest.mark.parametrize(
    "ending", [JobFinished(JOB, seed=1), JobFailed(JOB, reason="It broke."), JobStarted(NEXT)]
)
async def test_last_progress_is_kept_until_the_job_ends_or_another_starts(
    ending: JobFinished | JobFailed | JobStarted,
) -> None:
    events = EventBus()
    latest = LatestProgress(events)
    async with latest.followed():
        assert latest.of(JOB.id) is None
        for fraction in (0.25, 0.5):
            events.publish(progressed(fraction))
        await until(lambda: latest.of(JOB.id) == progressed(0.5))
        assert latest.of(NEXT.id) is None
        events.publish(ending)
        await until(lambda: latest.of(JOB.id) is None)
