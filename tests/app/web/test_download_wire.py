"""Tests of `app/web/download_wire.py`."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.events import (
    DownloadFinished,
    DownloadProgressed,
    JobEvent,
    JobFailed,
    JobFinished,
    JobInterrupted,
    JobSnapshot,
    JobStarted,
)
from app.jobs.models import Job, JobStatus
from app.library.download_handler import DownloadProgress
from app.web.download_wire import download
from app.web.wire import event

DOWNLOAD = JobSnapshot(
    "somejob1",
    "download",
    "owner",
    "127.0.0.1",
    {
        "model_version_id": 101,
        "name": "Ink v1",
        "model_kind": "lora",
        "file_name": "ink.safetensors",
        "size_bytes": 100,
        "url": "https://example.com/secret",
    },
)
DOWNLOADS: list[JobEvent] = [
    JobStarted(DOWNLOAD),
    DownloadProgressed(DOWNLOAD, 50, 100, 0.5, 1.23),
    DownloadFinished(DOWNLOAD, "ink.safetensors"),
    JobFailed(DOWNLOAD, "No such file."),
    JobInterrupted(DOWNLOAD),
]


@pytest.mark.parametrize(
    ("happened", "name", "payload"),
    [
        (DOWNLOADS[0], "download-started", {"size_bytes": 100}),
        (
            DOWNLOADS[1],
            "download-progress",
            {"received_bytes": 50, "size_bytes": 100, "fraction": 0.5, "eta_s": 1.2},
        ),
        (DOWNLOADS[2], "download-finished", {}),
        (DOWNLOADS[3], "download-failed", {"error": "No such file."}),
        (DOWNLOADS[4], "download-interrupted", {}),
    ],
)
def test_events_of_downloads_tell_what_and_how_far(
    happened: JobEvent, name: str, payload: dict[str, Any]
) -> None:
    about = {
        "job_id": "somejob1",
        "model_version_id": 101,
        "name": "Ink v1",
        "kind": "lora",
        "file_name": "ink.safetensors",
    }
    assert event(happened) == (name, about | payload)


def test_download_has_no_event_of_a_picture() -> None:
    with pytest.raises(TypeError, match="JobFinished"):
        event(JobFinished(DOWNLOAD, seed=1))


def test_answer_tells_how_far_a_running_one_is() -> None:
    job = Job(
        id="somejob1",
        parameters=DOWNLOAD.parameters,
        owner_id="owner",
        status=JobStatus.RUNNING,
        created_at=datetime(2026, 3, 4, 12, tzinfo=UTC),
    )
    told = download(job, DownloadProgress(50, 200, 3.0))
    assert (told["received_bytes"], told["size_bytes"], told["fraction"]) == (50, 200, 0.25)
    assert download(job, None)["size_bytes"] == 100
    assert "url" not in told


def test_answer_of_an_erased_one_tells_nothing() -> None:
    job = Job(id="somejob1", parameters={}, owner_id="owner", status=JobStatus.CANCELLED)
    job.created_at = datetime(2026, 3, 4, 12, tzinfo=UTC)
    told = download(job, None)
    assert (told["model_version_id"], told["name"], told["size_bytes"]) == (0, "", None)
