"""Tests of `launcher/windows_job.py` with fakes of the calls; the workflow on Windows runs it."""

import ctypes
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from launcher.windows_job import JobRefused, WindowsTree

JOB, PROCESS = 11, 22


@dataclass
class FakeWin32:
    """Notes each call; `refused` says which fails."""

    refused: str = ""
    calls: list[tuple[str, int]] = field(default_factory=list)
    limits: bytes = b""

    def create_job(self) -> int:
        return 0 if self.refused == "create_job" else JOB

    def set_limits(self, job: int, limits: bytes) -> bool:
        self.limits = limits
        return self._did("set_limits", job)

    def assign(self, job: int, process: int) -> bool:
        return self._did("assign", process)

    def resume(self, process: int) -> bool:
        return self._did("resume", process)

    def terminate(self, job: int, code: int) -> bool:
        return self._did("terminate", job)

    def close(self, handle: int) -> None:
        self._did("close", handle)

    def _did(self, name: str, handle: int) -> bool:
        self.calls.append((name, handle))
        return self.refused != name


@dataclass
class FakePopen:
    """A process that is there and ends at once."""

    command: list[str]
    options: dict[str, Any]
    _handle: int = PROCESS
    is_killed: bool = False

    def kill(self) -> None:
        self.is_killed = True

    def wait(self, timeout_s: float) -> int:
        return 0


def made(win32: FakeWin32, begun: list[FakePopen], *, holds_stdin: bool = False) -> WindowsTree:
    """A tree of fakes."""

    def popen(command: list[str], **options: Any) -> FakePopen:
        begun.append(FakePopen(command, options))
        return begun[-1]

    return WindowsTree(
        ["forge.exe"],
        environ={"A": "1"},
        cwd=Path("here"),
        holds_stdin=holds_stdin,
        win32=win32,
        popen=popen,
    )


@pytest.mark.parametrize("holds_stdin", [False, True])
def test_process_is_in_its_job_before_it_runs(holds_stdin: bool) -> None:
    win32, begun = FakeWin32(), list[FakePopen]()
    tree = made(win32, begun, holds_stdin=holds_stdin)
    assert win32.calls == [("set_limits", JOB), ("assign", PROCESS), ("resume", PROCESS)]
    options = begun[0].options
    assert options["creationflags"] & 0x4  # suspended
    assert options["stdin"] == (subprocess.PIPE if holds_stdin else subprocess.DEVNULL)
    win32.calls.clear()
    tree.kill()
    tree.kill()
    assert win32.calls == [("terminate", JOB), ("close", JOB)]


def test_job_ends_with_its_last_handle() -> None:
    win32 = FakeWin32()
    made(win32, [])
    size = 144 if ctypes.sizeof(ctypes.c_void_p) == 8 else 112  # as Windows' headers have it
    assert len(win32.limits) == size
    assert int.from_bytes(win32.limits[16:20], sys.byteorder) == 0x2000


@pytest.mark.parametrize("refused", ["create_job", "set_limits", "assign", "resume"])
def test_refusal_leaves_neither_process_nor_handle(refused: str) -> None:
    win32, begun = FakeWin32(refused), list[FakePopen]()
    with pytest.raises(JobRefused):
        made(win32, begun)
    assert all(process.is_killed for process in begun)
    assert ("close", JOB) in win32.calls or refused == "create_job"
