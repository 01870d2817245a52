"""Tests of `launcher/status_view.py`."""

from datetime import UTC, datetime
from typing import Any

import pytest

from launcher.commands import Quit
from launcher.menu import IconState
from launcher.navigator_api import NavigatorStatus, Pause
from launcher.status_view import checkpoint_of, face, queue_of
from launcher.view import Queue
from tests.launcher.test_menu import RUNNING


def status(**told: Any) -> NavigatorStatus:
    """What Navigator says."""
    running = told.get("running")
    pause = Pause(told.get("paused", False), None, told.get("resumes_at"))
    forge = {"checkpoint": told.get("checkpoint")}
    return NavigatorStatus(
        None, True, running and running["job_id"], 2, pause, {"queue": told, "forge": forge}
    )


@pytest.mark.parametrize(
    ("told", "queue"),
    [
        ({}, Queue(2)),
        ({"running": {"job_id": "a", "progress": 0.25}}, Queue(2, "a", 0.25)),
        ({"running": {"job_id": "a", "progress": None}}, Queue(2, "a")),
        ({"paused": True, "resumes_at": "2026-01-02T03:04:05.000+00:00"},
         Queue(2, is_paused=True, resumes_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))),
        ({"paused": True, "freeing": {"state": "freeing"}},
         Queue(2, is_paused=True, is_freeing=True)),
        ({"paused": True, "freeing": {"state": "freed"}}, Queue(2, is_paused=True, is_freed=True)),
        ({"paused": False, "freeing": {"state": "freed"}}, Queue(2)),
    ],
)  # fmt: skip
def test_queue_is_understood(told: dict[str, Any], queue: Queue) -> None:
    assert queue_of(status(**told)) == queue


def test_checkpoint_is_named_without_its_ending() -> None:
    assert checkpoint_of(status(checkpoint="Real.Vis_v5.safetensors")) == "Real.Vis_v5"
    assert checkpoint_of(status()) is None


def test_face_is_made_of_the_view() -> None:
    shown = face(RUNNING)
    assert (shown.state, shown.fraction) == (IconState.READY, None)
    assert shown.tooltip == shown.entries[0].label
    assert shown.entries[-1].command == Quit()
