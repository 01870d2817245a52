"""Tests of `launcher/service.py`, with real processes."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from launcher.errors import LauncherError
from launcher.output import Output
from launcher.process import CannotStart, Launch, sentence_of_exit
from launcher.program import GivesUp
from launcher.record import Record, RecordFile
from launcher.restart_policy import RestartPolicy
from launcher.service import Service
from launcher.service_state import ServiceState
from tests.launcher.children import killed_at_the_end, lives, python
from tests.waiting import until

pytestmark = pytest.mark.posix

IGNORES_US = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("begun")
    time.sleep(600)
"""
LASTS = "import time; print('begun'); time.sleep(600)"


@dataclass
class Toy:
    """A program that does what a test says. It is ready once it has printed something."""

    output: Output
    code: str = LASTS
    name: str = "Toy"
    grace_s: float = 5.0
    start_limit_s: float = 30.0
    why_not: str | None = None
    is_foreign: bool = False
    never_ready: str | None = None
    final_code: int | None = None
    pids: list[int] = field(default_factory=list)

    async def prepare(self) -> Launch:
        if self.why_not is not None:
            raise CannotStart(self.why_not)
        return python(self.code)

    async def is_served_by_others(self) -> bool:
        return self.is_foreign

    async def is_ready(self, pid: int) -> bool:
        if pid not in self.pids:
            self.pids.append(pid)
        if self.never_ready is not None:
            raise LauncherError(self.never_ready)
        return self.output.last_line != ""

    def explain(self, code: int, lines: Sequence[str]) -> str:
        sentence = sentence_of_exit(self.name, code, lines)
        if code == self.final_code:
            raise GivesUp(sentence)
        return sentence


@pytest.fixture
async def toy(tmp_path: Path) -> AsyncIterator[Toy]:
    output = Output("toy", tmp_path)
    made = Toy(output)
    yield made
    output.close()
    assert not any(lives(pid) for pid in made.pids)


@contextlib.asynccontextmanager
async def supervised(toy: Toy, tmp_path: Path, **policy: float) -> AsyncIterator[Service]:
    """The toy, wanted."""
    options = {"limit": 4, "first_pause_s": 0.05, "longest_pause_s": 0.1} | policy
    service = Service(
        toy,
        toy.output,
        RecordFile(tmp_path / "toy.json"),
        policy=RestartPolicy(**options),  # type: ignore[arg-type]
    )
    service.start()
    async with service.supervised():
        yield service
    assert not (tmp_path / "toy.json").exists()


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


async def test_one_that_says_nothing_for_too_long_is_started_again(
    toy: Toy, tmp_path: Path
) -> None:
    toy.code, toy.start_limit_s = "import time; time.sleep(600)", 1.0
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.snapshot.pid)
        toy.code = LASTS
        await until(lambda: service.state is ServiceState.BACKOFF)
        assert "silent" in str(service.snapshot.sentence)
        toy.start_limit_s = 30
        await until(lambda: service.state is ServiceState.RUNNING)


async def test_one_that_keeps_talking_may_take_its_time(toy: Toy, tmp_path: Path) -> None:
    toy.code = """
        import time
        for number in range(20):
            print(f"installing {number}")
            time.sleep(0.1)
        print("done")
        time.sleep(600)
    """
    toy.start_limit_s = 1.0

    async def is_ready(pid: int) -> bool:
        toy.pids.append(pid)
        return toy.output.last_line == "done"

    toy.is_ready = is_ready  # type: ignore[method-assign]
    async with supervised(toy, tmp_path) as service:
        await until(lambda: "installing" in service.snapshot.last_line)
        assert service.state is ServiceState.STARTING
        await until(lambda: service.state is ServiceState.RUNNING)
        assert service.snapshot.starts == 1


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
        await until(lambda: service.snapshot.pid)
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
