"""Tests of `launcher/record.py`."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from launcher.record import Record, RecordFile


def test_record_comes_back(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "launcher" / "forge.json")
    assert file.read() is None
    ours = Record.of(os.getpid())
    assert ours is not None
    file.write(ours)
    assert file.read() == ours
    file.remove()
    file.remove()
    assert file.read() is None


def test_process_is_known_by_number_moment_and_command() -> None:
    ours = Record.of(os.getpid())
    assert ours is not None
    process = ours.process()
    assert process is not None
    assert process.pid == os.getpid()
    for other in (
        replace(ours, created_s=ours.created_s - 60),
        replace(ours, command=("python", "something else")),
        replace(ours, pid=2**22 + 1),
    ):
        assert other.process() is None
    assert Record.of(2**22 + 1) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"pid": 1, "created_s": 1, "command": []}', "\0",
     '{"pid": "2", "created_s": 1, "command": []}', '{"pid": 2, "created_s": "x", "command": []}',
     '{"pid": true, "created_s": 1, "command": []}', '{"pid": 2, "created_s": 1, "command": null}'],
)  # fmt: skip
def test_what_is_no_record_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "record").write_text(text)
    assert RecordFile(tmp_path / "record").read() is None


def test_disk_that_refuses_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    file = RecordFile(tmp_path / "file" / "record")
    file.write(Record(5, 1.0, ()))
    assert file.read() is None
    file.remove()


def test_process_whose_program_is_only_beginning_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [[], [], ["python", "-m", "it"]]
    monkeypatch.setattr(psutil.Process, "cmdline", lambda _: answers.pop(0))
    record = Record.of(os.getpid())
    assert record is not None
    assert record.command == ("python", "-m", "it")


@pytest.mark.posix
def test_process_that_has_ended_has_no_record() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert Record.of(process.pid) is None
    assert Record.of(process.pid) is None
