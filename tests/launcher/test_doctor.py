"""Tests of `launcher/doctor.py`: when Forge is restarted, and what happens to the queue then."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import Popen

import aiohttp
import pytest

from launcher.activity import Work
from launcher.doctor import Doctor, memory_of
from launcher.navigator_api import NavigatorApi, NavigatorStatus
from launcher.service_state import ServiceSnapshot, ServiceState
from tests.launcher.fake_navigator import PID, FakeNavigator
from tests.waiting import until

RUNNING = ServiceSnapshot("Forge", ServiceState.RUNNING, pid=os.getpid(), starts=1)


@dataclass
class Patient:
    """A Forge that is ready again as soon as it is restarted."""

    navigator: FakeNavigator
    snapshot: ServiceSnapshot = RUNNING
    reasons: list[str | None] = field(default_factory=list)
    answers: bool = True
    size_bytes: int = 0
    work_s: float = 0.0
    during: list[str | None] = field(default_factory=list)

    def restart(self, reason: str | None = None) -> None:
        self.reasons.append(reason)
        self.during.append(self.navigator.job)
        self.snapshot = replace(self.snapshot, starts=self.snapshot.starts + 1)
        self.size_bytes, self.answers = 0, True
        self.navigator.restart_wanted = None

    async def does_answer(self) -> bool:
        return self.answers


@dataclass
class Ward:
    """A doctor on duty, and all around."""

    navigator: FakeNavigator
    patient: Patient
    doctor: Doctor
    seen: list[NavigatorStatus | None]


@contextlib.asynccontextmanager
async def ward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit_bytes: int | None = None
) -> AsyncIterator[Ward]:
    """Where all happens quickly."""
    for name in ("_PROBE_S", "_MEMORY_S"):
        monkeypatch.setattr(f"launcher.doctor.{name}", 0.0)
    navigator, seen = FakeNavigator(), list[NavigatorStatus | None]()
    patient = Patient(navigator)

    async def saw(status: NavigatorStatus | None) -> None:
        seen.append(status)

    async with navigator.serving(tmp_path), aiohttp.ClientSession() as session:
        api = NavigatorApi(session, tmp_path, "token")
        await api.find(PID)
        doctor = Doctor(
            patient,
            api,
            patient.does_answer,
            ram_limit_bytes=limit_bytes,
            memory=lambda _: patient.size_bytes,
            work=lambda pid: {pid: Work(patient.work_s, 0)},
            saw=saw,
            look_s=0.02,
        )
        async with doctor.on_duty():
            yield Ward(navigator, patient, doctor, seen)


async def looked(found: Ward) -> None:
    """Returns when the doctor has looked some times more."""
    count = len(found.seen)
    await until(lambda: len(found.seen) > count + 8)


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


async def test_forge_that_grows_is_recycled_between_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ward(tmp_path, monkeypatch, limit_bytes=2_000_000_000) as found:
        found.navigator.job, found.patient.size_bytes = "draws", 2_600_000_000
        await until(lambda: found.navigator.calls == ["pause 10"])
        await asyncio.sleep(0.1)
        assert found.patient.reasons == []
        found.navigator.job = None
        await until(lambda: found.navigator.calls == ["pause 10", "resume"])
        assert found.patient.during == [None]
        assert found.patient.reasons == [
            "Forge took 2.6 GB of memory, more than the 2 GB of FORGE_RAM_LIMIT; restarted."
        ]
        assert found.doctor.treatments.counts["memory"] == 1


async def test_pause_of_the_owners_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ward(tmp_path, monkeypatch, limit_bytes=2) as found:
        found.navigator.pause = {"paused": True, "paused_at": "9:00", "resumes_at": None}
        found.patient.size_bytes = 3
        await until(lambda: found.doctor.treatments.counts["memory"] == 1)
        await looked(found)
        assert found.navigator.calls == []
        found.navigator.pause = {"paused": False, "paused_at": None, "resumes_at": None}
        found.navigator.job, found.patient.size_bytes = "draws", 3
        await until(lambda: found.navigator.calls == ["pause 10"])
        found.navigator.pause = {"paused": True, "paused_at": "10:01", "resumes_at": None}
        found.navigator.job = None
        await until(lambda: found.doctor.treatments.counts["memory"] == 2)
        await looked(found)
        assert found.navigator.calls == ["pause 10"]


async def test_job_that_takes_very_long_is_not_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.doctor._PATIENCE_S", 0.1)
    async with ward(tmp_path, monkeypatch, limit_bytes=2) as found:
        found.navigator.job, found.patient.size_bytes = "draws", 3
        await until(lambda: found.navigator.calls[:2] == ["pause 10", "resume"])
        assert found.patient.reasons == []


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
        await until(lambda: "Waiting" in str(found.doctor.treatments.now))
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
        await until(lambda: "Waiting" in str(found.doctor.treatments.now))
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


async def test_limit_that_no_restart_keeps_is_told_and_not_tried_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ward(tmp_path, monkeypatch, limit_bytes=2_000_000_000) as found:
        found.patient.size_bytes = 3_000_000_000
        await until(lambda: found.patient.reasons)
        found.patient.size_bytes = 3_000_000_000
        await until(lambda: "the limit is too low" in str(found.doctor.treatments.last))
        assert len(found.patient.reasons) == 1
        found.navigator.job = "draws"  # after a picture it may help again
        await until(lambda: "Waiting" in str(found.doctor.treatments.now))
        found.navigator.job = None
        await until(lambda: len(found.patient.reasons) == 2)


async def test_memory_is_that_of_a_process_and_its_children() -> None:
    code = "x = b'x' * 50_000_000; print(1, flush=True); input()"
    with Popen([sys.executable, "-c", code], stdin=-1, stdout=-1) as child:
        assert child.stdout is not None
        child.stdout.readline()
        own = await asyncio.to_thread(memory_of, child.pid)
        assert own > 50_000_000
        assert await asyncio.to_thread(memory_of, os.getpid()) > own
        child.kill()
    assert await asyncio.to_thread(memory_of, 2**22 + 1) == 0
