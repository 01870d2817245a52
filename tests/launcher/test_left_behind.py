"""Tests of `launcher/left_behind.py`."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launcher.left_behind import end_what_is_left
from launcher.process_tree import marked
from launcher.record import Record, RecordFile
from tests.launcher.children import killed_at_the_end, lives

pytestmark = pytest.mark.posix

SLEEPS = "import time; time.sleep(600)"
ENDS = "import time; time.sleep(0.5); open('orderly', 'w')"


def left(code: str, file: RecordFile, folder: Path) -> "subprocess.Popen[bytes]":
    """A service that a launcher has left."""
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=marked({}, file.mark), start_new_session=True
    )
    record = Record.of(process.pid)
    assert record is not None
    file.write(record)
    return process


async def test_first_one_may_end_in_order_and_the_others_are_ended(tmp_path: Path) -> None:
    files = {name: RecordFile(tmp_path / f"{name}.json") for name in ("forge", "navigator")}
    with killed_at_the_end() as pids:
        services = [
            left(SLEEPS, files["forge"], tmp_path),
            left(ENDS, files["navigator"], tmp_path),
        ]
        pids += [service.pid for service in services]
        began_s = time.monotonic()
        await asyncio.to_thread(end_what_is_left, files, first="navigator")
        assert time.monotonic() - began_s >= 0.3
        assert not any(lives(pid) for pid in pids)
        for service in services:
            await asyncio.to_thread(service.wait)
    assert (tmp_path / "orderly").exists()
    assert [file.read() for file in files.values()] == [None, None]


async def test_one_that_cannot_be_ended_keeps_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = RecordFile(tmp_path / "forge.json")
    with killed_at_the_end() as pids:
        service = left(SLEEPS, file, tmp_path)
        pids.append(service.pid)
        monkeypatch.setattr("launcher.left_behind.end_left_behind", lambda *_: True)
        await asyncio.to_thread(end_what_is_left, {"forge": file}, first="navigator")
        assert file.read() is not None
        service.kill()
        await asyncio.to_thread(service.wait)
