"""A doctor of the launcher on duty, and a Forge and a Navigator that do what a test says."""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest

from launcher.activity import Work
from launcher.doctor import Doctor
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
    draws: bool = False
    during: list[str | None] = field(default_factory=list)

    def restart(self, reason: str | None = None) -> None:
        self.reasons.append(reason)
        self.during.append(self.navigator.job)
        self.snapshot = replace(self.snapshot, starts=self.snapshot.starts + 1)
        self.size_bytes, self.answers = 0, True
        self.navigator.restart_wanted = None

    async def does_answer(self) -> bool:
        return self.answers

    async def does_draw(self) -> bool:
        return self.draws


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
            draws=patient.does_draw,
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
