"""Tests of `launcher/activity.py`."""

import asyncio
import os
from pathlib import Path

import pytest

from launcher.activity import Work, is_work, work_of
from launcher.output import Output
from launcher.process import ChildProcess
from tests.launcher.children import python
from tests.waiting import until


@pytest.mark.parametrize(
    ("before", "after", "works"),
    [
        ({1: Work(5, 9)}, {1: Work(5.5, 9)}, False),
        ({1: Work(5, 9)}, {1: Work(6.1, 9)}, True),
        ({1: Work(5, 9)}, {1: Work(5, 1_000_009)}, True),
        ({1: Work(5, 9)}, {1: Work(5, 9), 2: Work(0.2, 10)}, False),
        ({1: Work(5, 9)}, {1: Work(5, 9), 2: Work(2, 10)}, True),
        ({1: Work(5, 9), 2: Work(700, 10)}, {1: Work(6.1, 9)}, True),
        ({1: Work(5, 9)}, {}, False),
    ],
)
def test_work_is_told_from_waiting(
    before: dict[int, Work], after: dict[int, Work], works: bool
) -> None:
    assert is_work(before, after, within_s=10) is works


@pytest.mark.posix
async def test_work_of_children_counts(tmp_path: Path) -> None:
    output = Output("child", tmp_path)
    code = """
        import os, subprocess, sys, time
        inner = "import time; open('f', 'wb').write(bytes(2_000_000)); print(1); time.sleep(600)"
        subprocess.run([sys.executable, "-c", inner])
    """
    child = await ChildProcess.start(python(code, cwd=tmp_path), output)
    try:
        before = await asyncio.to_thread(work_of, child.pid)
        await until(
            lambda: sum(one.written_bytes for one in work_of(child.pid).values()) >= 2_000_000
        )
        assert is_work(before, await asyncio.to_thread(work_of, child.pid), within_s=600)
    finally:
        await child.kill()
        output.close()


def test_work_of_nothing_is_none() -> None:
    assert work_of(2**22 + 1) == {}
    assert work_of(os.getpid())[os.getpid()].cpu_s > 0
