"""Tests of `launcher/service.py`, with real processes."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.record import Record, RecordFile
from launcher.service_state import ServiceState
from tests.launcher.children import killed_at_the_end, lives
from tests.launcher.toys import IGNORES_US, LASTS, Toy, supervised
from tests.waiting import until

pytestmark = pytest.mark.posix


async def test_service_is_started_and_stopped(toy: Toy, tmp_path: Path) -> None:
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.RUNNING)
        shown = service.snapshot
        assert (shown.pid, shown.last_line, shown.starts) == (toy.pids[0], "begun", 1)
        assert RecordFile(tmp_path / "toy.json").read() == Record.of(toy.pids[0])
        service.stop()
        await until(lambda: service.state is ServiceState.STOPPED)
        assert not lives(toy.pids[0])
        assert (service.snapshot.pid, service.snapshot.exit_code) == (None, -signal.SIGTERM)
        service.start()
        await until(lambda: service.state is ServiceState.RUNNING)
    assert service.state in {ServiceState.STOPPED, ServiceState.STOPPING}


async def test_one_that_is_killed_comes_back(toy: Toy, tmp_path: Path) -> None:
    async with supervised(toy, tmp_path, limit=0) as service:
        for start in range(1, 4):
            await until(
                lambda start=start: (  # type: ignore[misc]
                    service.state is ServiceState.RUNNING and service.snapshot.starts == start
                )
            )
            os.kill(toy.pids[-1], signal.SIGKILL)


async def test_one_that_fails_again_and_again_is_given_up(toy: Toy, tmp_path: Path) -> None:
    toy.code = "print('It is broken.'); raise SystemExit(3)"
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.FAILED)
        assert service.snapshot.starts == 4
        assert service.snapshot.sentence == (
            "It failed 4 times within 60 s: Toy ended with exit code 3: It is broken."
        )
        toy.code = LASTS
        service.start()
        await until(lambda: service.state is ServiceState.RUNNING)


async def test_failure_that_lasts_is_not_tried_again(toy: Toy, tmp_path: Path) -> None:
    toy.code, toy.final_code = "raise SystemExit('A setting is wrong.')", 1
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.FAILED)
        assert service.snapshot.starts == 1
        assert service.snapshot.sentence == "Toy ended with exit code 1: A setting is wrong."


async def test_one_that_cannot_be_started_says_why(toy: Toy, tmp_path: Path) -> None:
    toy.why_not = "It is not installed."
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.FAILED)
        assert service.snapshot.sentence == "It is not installed."
        toy.why_not = None
        service.restart()
        await until(lambda: service.state is ServiceState.RUNNING)


async def test_one_that_can_never_be_ready_is_ended(toy: Toy, tmp_path: Path) -> None:
    toy.never_ready = "Its port is taken."
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.FAILED)
        assert service.snapshot.sentence == "Its port is taken."
        assert not lives(toy.pids[0])


async def test_restart_ends_it_and_tells_why(toy: Toy, tmp_path: Path) -> None:
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.RUNNING)
        service.restart("It was stuck; restarted.")
        await until(lambda: service.state is ServiceState.RUNNING and service.snapshot.starts == 2)
        assert service.snapshot.sentence == "It was stuck; restarted."
        assert not lives(toy.pids[0])


async def test_what_somebody_else_started_is_used_and_left_alone(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.service._LOOK_RUNNING_S", 0.05)
    toy.is_foreign = True
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.RUNNING)
        service.restart("no")
        await asyncio.sleep(0.2)
        assert (service.snapshot.is_foreign, service.snapshot.starts) == (True, 0)
        toy.is_foreign = False
        await until(lambda: service.snapshot.starts == 1)
        await until(lambda: service.state is ServiceState.RUNNING)
        assert not service.snapshot.is_foreign
        assert service.snapshot.sentence is None


async def test_one_that_was_given_up_is_used_when_somebody_else_starts_it(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.service._LOOK_RUNNING_S", 0.05)
    toy.why_not = "It is not installed."
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.FAILED)
        toy.is_foreign = True
        await until(lambda: service.state is ServiceState.RUNNING)
        assert service.snapshot.is_foreign


async def test_stop_is_obeyed_at_any_moment(toy: Toy, tmp_path: Path) -> None:
    toy.code = "import time; time.sleep(600)"
    async with supervised(toy, tmp_path) as service:
        await until(lambda: toy.pids)
        service.stop()
        await until(lambda: service.state is ServiceState.STOPPED)
        assert not lives(toy.pids[0])
    toy.code = "raise SystemExit(1)"
    async with supervised(toy, tmp_path, first_pause_s=60, longest_pause_s=60) as service:
        await until(lambda: service.state is ServiceState.BACKOFF)
        service.stop()
        await until(lambda: service.state is ServiceState.STOPPED)


async def test_start_ends_a_pause(toy: Toy, tmp_path: Path) -> None:
    toy.code = "raise SystemExit(1)"
    async with supervised(toy, tmp_path, first_pause_s=60, longest_pause_s=60) as service:
        await until(lambda: service.state is ServiceState.BACKOFF)
        toy.code = LASTS
        service.start()
        await until(lambda: service.state is ServiceState.RUNNING)


async def test_what_a_killed_launcher_left_is_ended_first(toy: Toy, tmp_path: Path) -> None:
    with killed_at_the_end() as pids:
        left = subprocess.Popen([sys.executable, "-c", LASTS], start_new_session=True)
        pids.append(left.pid)
        record = Record.of(left.pid)
        assert record is not None
        RecordFile(tmp_path / "toy.json").write(record)
        async with supervised(toy, tmp_path) as service:
            await until(lambda: service.state is ServiceState.RUNNING)
            assert left.wait(10) == -signal.SIGKILL


async def test_end_of_the_block_while_it_ends_leaves_nothing(toy: Toy, tmp_path: Path) -> None:
    toy.code, toy.grace_s = IGNORES_US, 1.0
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.RUNNING)
        service.restart()
        await until(lambda: service.state is ServiceState.STOPPING)
    assert not lives(toy.pids[0])
