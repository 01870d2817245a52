"""Tests of `launcher/doctor.py`: a Forge that takes too much memory."""

import asyncio
import os
import sys
from pathlib import Path
from subprocess import Popen

import pytest

from launcher.doctor import memory_of
from tests.launcher.wards import looked, ward
from tests.waiting import until


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


async def test_limit_that_no_restart_keeps_is_told_and_not_tried_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ward(tmp_path, monkeypatch, limit_bytes=2_000_000_000) as found:
        found.patient.size_bytes = 3_000_000_000
        await until(lambda: found.patient.reasons)
        found.patient.size_bytes = 3_000_000_000
        await until(lambda: "the limit is too low" in str(found.doctor.treatments.last))
        assert len(found.patient.reasons) == 1
        found.navigator.job = "draws"  # after a picture it may help again, once
        await until(lambda: "Waiting" in str(found.doctor.treatments.now))
        found.navigator.job = None
        await until(lambda: len(found.patient.reasons) == 2)
        found.navigator.job, found.patient.size_bytes = "draws", 3_000_000_000
        await until(lambda: "the limit is too low" in str(found.doctor.treatments.last))
        found.navigator.job = None
        await looked(found)
        assert len(found.patient.reasons) == 2


async def test_forge_that_its_owner_draws_with_is_not_recycled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ward(tmp_path, monkeypatch, limit_bytes=2) as found:
        found.patient.draws, found.patient.size_bytes = True, 3
        await looked(found)
        assert found.patient.reasons == []
        found.patient.draws = False
        await until(lambda: found.patient.reasons)


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
