"""Tests of `app/jobs/models.py`."""

import pytest

from app.events import JobSnapshot
from app.jobs.models import Job, JobKind, JobStatus, Lane


@pytest.mark.usefixtures("database")  # before that, a model does not know its columns
async def test_snapshot_has_what_events_tell_and_stays_as_it_was() -> None:
    job = Job(
        number=1,
        id="abcdefgh",
        kind=JobKind.TXT2IMG,
        lane=Lane.GENERATION,
        status=JobStatus.RUNNING,
        position=1,
        owner_id="1",
        origin="192.0.2.1",
        parameters={"prompt": "a fox"},
    )
    snapshot = job.snapshot()
    job.origin = "192.0.2.2"
    assert snapshot == JobSnapshot(
        id="abcdefgh",
        kind="txt2img",
        owner_id="1",
        origin="192.0.2.1",
        parameters={"prompt": "a fox"},
    )
