"""Tests of `launcher/doctor.py`: when Forge is restarted, and what happens to the queue then."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from launcher.service_state import ServiceState
from tests.launcher.wards import RUNNING, looked, ward
from tests.waiting import until


async def test_healthy_forge_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ward(tmp_path, monkeypatch, limit_bytes=5) as found:
        await looked(found)
        assert found.patient.reasons == []
        assert (found.doctor.treatments.last, found.doctor.treatments.now) == (None, None)


async def test_stalled_forge_is_restarted_between_jobs_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ward(tmp_path, monkeypatch) as found:
        found.navigator.job = "another"
        found.navigator.restart_wanted = "Forge stopped drawing at step 12: no progress."
        await until(lambda: "Waiting" in str(found.doctor.treatments.now))
        await asyncio.sleep(0.1)
        assert found.patient.reasons == []
        found.navigator.job = None
        await until(lambda: found.patient.reasons)
        sentence = "Forge stopped drawing at step 12: no progress; restarted."
        assert found.patient.reasons == [sentence]
        await until(lambda: found.doctor.treatments.now is None)
        assert found.doctor.treatments.last == sentence
        assert found.doctor.treatments.counts["stalled"] == 1
        assert found.navigator.calls == []  # Navigator holds its jobs back by itself
        await looked(found)
        assert len(found.patient.reasons) == 1


async def test_silent_forge_is_restarted_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ward(tmp_path, monkeypatch) as found:
        found.navigator.job, found.patient.answers = "draws", False
        await looked(found)
        assert found.patient.reasons == []  # Navigator watches it then
        found.navigator.job = None
        await until(lambda: found.patient.reasons)
        assert found.patient.reasons == ["Forge answered no more; restarted."]
        assert found.doctor.treatments.counts["silent"] == 1


@pytest.mark.parametrize("how", ["works", "writes"])
async def test_silent_forge_that_is_busy_is_left_alone_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    async with ward(tmp_path, monkeypatch) as found:
        found.patient.answers = False
        for number in range(40):  # it restarts itself, or loads a checkpoint
            if how == "works":
                found.patient.work_s += 60
            else:
                line = f"Installing {number}"
                found.patient.snapshot = replace(found.patient.snapshot, last_line=line)
            seen = len(found.seen)
            await until(lambda seen=seen: len(found.seen) > seen)  # type: ignore[misc]
        assert found.patient.reasons == []
        monkeypatch.setattr("launcher.doctor._BUSY_S", 0.0)
        await until(lambda: found.patient.reasons)


@pytest.mark.parametrize(
    "changes",
    [{"is_foreign": True}, {"state": ServiceState.STARTING}, {"state": ServiceState.FAILED},
     {"pid": None}],
)  # fmt: skip
async def test_forge_that_is_not_ours_or_not_there_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    async with ward(tmp_path, monkeypatch, limit_bytes=1) as found:
        found.patient.snapshot = replace(RUNNING, **changes)  # type: ignore[arg-type]
        found.patient.answers, found.patient.size_bytes = False, 2
        found.navigator.restart_wanted = "It is stuck."
        await looked(found)
        assert found.patient.reasons == []


async def test_navigator_that_is_away_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.doctor._AWAY_S", 0.2)
    async with ward(tmp_path, monkeypatch, limit_bytes=1) as found:
        found.navigator.is_away, found.patient.answers = True, False
        await until(lambda: found.patient.reasons)
        assert found.seen[-1] is None
        found.navigator.is_away = False
        await until(lambda: found.seen[-1] is not None)


async def test_navigator_that_is_slow_once_does_not_end_the_running_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ward(tmp_path, monkeypatch, limit_bytes=2) as found:
        found.navigator.job, found.patient.size_bytes = "draws", 3
        await until(lambda: found.navigator.calls == ["pause 10"])
        found.navigator.is_away = True
        await asyncio.sleep(0.2)
        assert found.patient.reasons == []
        found.navigator.is_away = False
        found.navigator.job = None
        await until(lambda: found.patient.reasons)


async def test_navigator_that_stays_away_keeps_nothing_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.doctor._AWAY_S", 0.2)
    async with ward(tmp_path, monkeypatch, limit_bytes=2) as found:
        found.navigator.job, found.patient.size_bytes = "draws", 3
        await until(lambda: found.navigator.calls == ["pause 10"])
        found.navigator.is_away = True
        await until(lambda: found.patient.reasons)


@pytest.mark.parametrize(
    "changes",
    [{"state": ServiceState.STOPPED, "pid": None}, {"pid": 2, "starts": 2}, {"is_foreign": True}],
)
async def test_forge_that_changed_while_the_job_ran_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    async with ward(tmp_path, monkeypatch, limit_bytes=2) as found:
        found.navigator.job, found.patient.size_bytes = "draws", 3
        await until(lambda: "Waiting" in str(found.doctor.treatments.now))
        found.patient.snapshot = replace(RUNNING, **changes)  # type: ignore[arg-type]
        found.patient.size_bytes = 0
        found.navigator.job = None
        await until(lambda: found.doctor.treatments.now is None)
        await looked(found)
        assert found.patient.reasons == []
        assert found.doctor.treatments.counts["memory"] == 0


async def test_others_see_how_things_are_during_a_treatment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ward(tmp_path, monkeypatch) as found:
        found.navigator.job, found.navigator.restart_wanted = "draws", "It is stuck."
        await until(lambda: "Waiting" in str(found.doctor.treatments.now))
        found.navigator.waiting = 3
        await until(lambda: found.seen[-1] is not None and found.seen[-1].waiting == 3)
        assert found.patient.reasons == []
