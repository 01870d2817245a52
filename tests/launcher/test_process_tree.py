"""Tests of `launcher/process_tree.py`: what a launcher that was killed has left."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from launcher.process_tree import end_left_behind, marked
from launcher.record import Record
from tests.launcher.children import killed_at_the_end, lives
from tests.waiting import until

SLEEPS = "import time; print('here', flush=True); time.sleep(600)"
FORKS = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {SLEEPS!r}], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
time.sleep(600)
"""
# One that nobody finds by its parent or its session.
_OWN_SESSION = "stdout=subprocess.DEVNULL, start_new_session=True"
DAEMON = FORKS.replace("stdout=subprocess.DEVNULL", _OWN_SESSION)

pytestmark = pytest.mark.posix


MARK = "/data/launcher/forge of a test"


def started(code: str, mark: str = MARK) -> tuple["subprocess.Popen[str]", str]:
    """A process that leads a session, and the first line that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=marked(os.environ, mark),
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


@pytest.mark.parametrize("code", [FORKS, DAEMON])
@pytest.mark.parametrize("is_recorded", [False, True])
@pytest.mark.parametrize("leader_is_dead", [False, True])
async def test_left_process_and_its_children_are_ended(
    leader_is_dead: bool, is_recorded: bool, code: str, tmp_path: Path
) -> None:
    mark = str(tmp_path)
    with killed_at_the_end() as pids:
        process, child = started(code, mark)
        pids += [process.pid, int(child)]
        record = Record.of(process.pid) if is_recorded else None
        if leader_is_dead:
            process.kill()
            process.wait()
        assert end_left_behind(record, mark)
        await asyncio.to_thread(process.wait, 10)
        await until(lambda: not lives(int(child)))
        assert not end_left_behind(record, mark)
        process.stdout.close()  # type: ignore[union-attr]


def test_process_of_others_is_left_alone() -> None:
    with killed_at_the_end() as pids:
        process, _ = started(SLEEPS)
        pids.append(process.pid)
        record = Record.of(process.pid)
        assert record is not None
        later = replace(record, created_s=record.created_s + 60)
        other = replace(record, pid=2**22 + 1)
        earlier = replace(record, created_s=record.created_s - 60)  # whose number it has now
        renamed = replace(record, command=("x",))
        for stranger in (later, other, earlier, renamed, None):
            assert not end_left_behind(stranger, "another mark")
        assert lives(process.pid)
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]


async def test_process_that_is_just_becoming_another_program_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ, looks = psutil.Process.environ, list[psutil.Process]()

    def late(process: psutil.Process) -> dict[str, str]:
        """Nothing at the first look, as the system tells then."""
        if process.pid != child.pid:
            return environ(process)
        looks.append(process)
        return {} if len(looks) == 1 else environ(process)

    with killed_at_the_end() as pids:
        child, _ = started(SLEEPS, str(tmp_path))
        pids.append(child.pid)
        monkeypatch.setattr(psutil.Process, "environ", late)
        assert end_left_behind(None, str(tmp_path))
        await asyncio.to_thread(child.wait, 10)
        child.stdout.close()  # type: ignore[union-attr]
