"""Tests of `launcher/service.py`: silence, work, and processes that cannot be started or ended."""

from pathlib import Path

import pytest

from launcher.process import CannotStartNow, Launch
from launcher.record import RecordFile
from launcher.service_state import ServiceState
from tests.launcher.children import lives
from tests.launcher.toys import LASTS, Toy, supervised
from tests.waiting import until

pytestmark = pytest.mark.posix


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


async def test_one_that_is_silent_and_works_may_take_its_time(toy: Toy, tmp_path: Path) -> None:
    toy.code = """
        import os, time
        deadline = time.monotonic() + 2
        with open(os.devnull, "wb", buffering=0) as sink:
            while time.monotonic() < deadline:
                sink.write(bytes(500_000))
                time.sleep(0.01)
        print("done")
        time.sleep(600)
    """
    toy.start_limit_s = 0.7
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.RUNNING)
        assert service.snapshot.starts == 1


async def test_one_that_works_for_ever_is_started_again_in_the_end(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.service._PATIENCE", 2)
    toy.code, toy.start_limit_s = "while True: pass", 0.5
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.BACKOFF)
        assert "silent" in str(service.snapshot.sentence)


async def test_one_that_cannot_die_is_told_and_its_record_kept(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.RUNNING)
        with monkeypatch.context() as patched:
            patched.setattr("launcher.process._KILL_LIMIT_S", 0.1)
            patched.setattr("launcher.process_tree.PosixTree.kill", lambda _: None)
            patched.setattr("launcher.process_tree.PosixTree.ask_to_end", lambda _: None)
            toy.grace_s = 0.1
            service.restart()
            await until(lambda: service.state is ServiceState.FAILED)
            assert f"Process {toy.pids[0]} cannot be ended" in str(service.snapshot.sentence)
            assert RecordFile(tmp_path / "toy.json").read() is not None
            patched.setattr("launcher.service.end_left_behind", lambda *_: True)
            service.start()
            await until(lambda: "of an earlier Toy" in str(service.snapshot.sentence))
        service.start()  # now it can
        await until(lambda: service.state is ServiceState.RUNNING)
        assert not lives(toy.pids[0])


async def test_lack_of_memory_is_waited_out(toy: Toy, tmp_path: Path) -> None:
    refusals = 5  # more than failures are allowed
    prepare = toy.prepare

    async def refused() -> Launch:
        nonlocal refusals
        refusals -= 1
        if refusals >= 0:
            raise CannotStartNow("toy cannot be started (Cannot allocate memory).")
        return await prepare()

    toy.prepare = refused  # type: ignore[method-assign]
    async with supervised(toy, tmp_path) as service:
        await until(lambda: service.state is ServiceState.BACKOFF)
        assert "allocate memory" in str(service.snapshot.sentence)
        await until(lambda: service.state is ServiceState.RUNNING)
