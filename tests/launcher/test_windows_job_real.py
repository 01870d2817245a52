"""`launcher/windows_job.py` and the other calls of Windows' for real; runs on Windows only."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.keep_awake import ExecutionState, KeepAwake
from launcher.process_tree import start
from tests.launcher.children import lives
from tests.waiting import until

pytestmark = pytest.mark.windows

FORKS = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
HOLDS = f"""
import os, sys
from launcher.process_tree import start
tree = start([sys.executable, "-c", {FORKS!r}], environ=os.environ, cwd=None, holds_stdin=False)
print(tree.popen.pid, tree.popen.stdout.readline().decode(), flush=True)
input()
"""


async def test_children_end_with_the_job(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKS]
    tree = start(command, environ=os.environ, cwd=tmp_path, holds_stdin=False)
    assert tree.popen.stdout is not None
    with tree.popen.stdout:
        child = int(tree.popen.stdout.readline())
        await asyncio.to_thread(tree.kill)
    await until(lambda: not lives(child) and not lives(tree.popen.pid))


async def test_children_end_with_us() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as ours:
        assert ours.stdout is not None
        pids = [int(word) for word in ours.stdout.readline().split()]
        ours.kill()
    await until(lambda: not any(lives(pid) for pid in pids))


async def test_machine_is_kept_awake() -> None:
    awake = KeepAwake(ExecutionState())
    await awake.want(True)
    assert awake.is_holding
    await awake.want(False)
