"""Tests of `launcher/snapshot.py`."""

import json
from dataclasses import replace
from types import MappingProxyType

from launcher.doctor import Treatments
from launcher.navigator_api import NavigatorStatus, Pause
from launcher.service_state import ServiceSnapshot, ServiceState
from launcher.snapshot import Snapshot

IDLE = NavigatorStatus(None, True, None, 0, Pause(False), {})
SHOWN = Snapshot(
    forge=ServiceSnapshot("Forge", ServiceState.RUNNING, pid=5),
    navigator=ServiceSnapshot("Navigator", ServiceState.RUNNING, pid=6),
    status=IDLE,
    treatments=Treatments(),
    url="http://127.0.0.1:3333",
    forge_url="http://127.0.0.1:7860",
    keeps_awake=False,
    notice=None,
)


def test_people_see_what_matters() -> None:
    assert SHOWN.as_text().splitlines() == [
        "Forge: running at http://127.0.0.1:7860",
        "Navigator: running at http://127.0.0.1:3333",
        "Queue: idle, 0 waiting",
    ]


def test_trouble_is_told() -> None:
    shown = replace(
        SHOWN,
        forge=ServiceSnapshot("Forge", ServiceState.STARTING, last_line="Installing torch"),
        navigator=ServiceSnapshot("Navigator", ServiceState.FAILED, sentence="A setting is wrong."),
        status=NavigatorStatus(None, False, "job", 3, Pause(True), {}),
        treatments=Treatments(MappingProxyType({"memory": 2}), "It was large; restarted.", "Now."),
        notice="Port 7860 is taken.",
    )
    assert shown.as_text().splitlines() == [
        "Forge: starting | Installing torch",
        "Navigator: failed (A setting is wrong.)",
        "Queue: drawing, 3 waiting, paused",
        "Forge was restarted 2 times; the last time: It was large; restarted.",
        "Now.",
        "Port 7860 is taken.",
    ]


def test_programs_get_all_of_it() -> None:
    told = json.loads(json.dumps(SHOWN.as_json()))
    assert told["forge"]["restarts"] == {"stalled": 0, "silent": 0, "memory": 0}
    assert told["navigator"]["url"] == "http://127.0.0.1:3333"
    assert told["jobs"] == {"running": None, "waiting": 0, "paused": False}
    assert replace(SHOWN, status=None).as_json()["jobs"] is None
