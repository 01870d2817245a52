"""A process tree on Windows: a job object that ends everything in it when its handle is closed.

Facts: Microsoft's documentation of job objects, and of `NtResumeProcess` as debuggers use it. The
process is made suspended, or it could start others before it is in the job.
"""

import contextlib
import ctypes
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

_CREATE_SUSPENDED = 0x00000004
_CREATE_NEW_PROCESS_GROUP = 0x00000200  # Ctrl-C at our console is not theirs
_CREATE_NO_WINDOW = 0x08000000
_EXTENDED_LIMIT_INFORMATION = 9
_KILL_ON_JOB_CLOSE = 0x2000
_WAIT_S = 5.0


class JobRefused(OSError):
    """Windows does not give us a job object, or does not let the process into it."""


class _BasicLimits(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class _IoCounters(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_uint64)
        for name in (
            "ReadOperationCount", "WriteOperationCount", "OtherOperationCount",
            "ReadTransferCount", "WriteTransferCount", "OtherTransferCount",
        )
    )  # fmt: skip


class _ExtendedLimits(ctypes.Structure):
    _fields_ = (
        ("BasicLimitInformation", _BasicLimits),
        ("IoInfo", _IoCounters),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class Win32(Protocol):
    """The calls that we need. Handles are integers; 0 is none, and means that a call failed."""

    def create_job(self) -> int:
        """CreateJobObjectW."""

    def set_limits(self, job: int, limits: bytes) -> bool:
        """SetInformationJobObject with JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    def assign(self, job: int, process: int) -> bool:
        """AssignProcessToJobObject."""

    def resume(self, process: int) -> bool:
        """NtResumeProcess."""

    def terminate(self, job: int, code: int) -> bool:
        """TerminateJobObject."""

    def close(self, handle: int) -> None:
        """CloseHandle."""


class WindowsTree:
    """A process in a job object of its own."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        cwd: Path | None,
        holds_stdin: bool,
        win32: Win32 | None = None,
        popen: Any = subprocess.Popen,
    ):
        """`win32` and `popen` are for tests on other systems. Raises OSError."""
        self._win32 = win32 or _Kernel32()
        self._job = self._win32.create_job()
        if not self._job:
            raise JobRefused("Windows gives us no job object.")
        try:
            if not self._win32.set_limits(self._job, _kill_on_close()):
                raise JobRefused("Windows does not limit our job object.")
            self.popen = popen(
                command,
                env=dict(environ),
                cwd=cwd,
                stdin=subprocess.PIPE if holds_stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                creationflags=_CREATE_SUSPENDED | _CREATE_NEW_PROCESS_GROUP | _CREATE_NO_WINDOW,
            )
            process = int(self.popen._handle)
            if not self._win32.assign(self._job, process) or not self._win32.resume(process):
                self.popen.kill()
                raise JobRefused("Windows does not let a program into our job object.")
        except OSError:
            self._win32.close(self._job)
            raise

    def ask_to_end(self) -> None:
        """There is no signal for a program without a window; who holds its input closes that."""

    def kill(self) -> None:
        """Ends all that is in the job."""
        job, self._job = self._job, 0  # first: it may be called twice at the same time
        if job:
            self._win32.terminate(job, 1)
            self._win32.close(job)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(_WAIT_S)


def _kill_on_close() -> bytes:
    limits = _ExtendedLimits()
    limits.BasicLimitInformation.LimitFlags = _KILL_ON_JOB_CLOSE
    return bytes(limits)


class _Kernel32:
    """The real calls."""

    def __init__(self) -> None:
        windll: Any = getattr(ctypes, "windll")  # noqa: B009 - other systems have none
        self._kernel, self._nt = windll.kernel32, windll.ntdll
        self._kernel.CreateJobObjectW.restype = ctypes.c_void_p

    def create_job(self) -> int:
        return int(self._kernel.CreateJobObjectW(None, None) or 0)

    def set_limits(self, job: int, limits: bytes) -> bool:
        return bool(
            self._kernel.SetInformationJobObject(
                ctypes.c_void_p(job), _EXTENDED_LIMIT_INFORMATION, limits, len(limits)
            )
        )

    def assign(self, job: int, process: int) -> bool:
        return bool(
            self._kernel.AssignProcessToJobObject(ctypes.c_void_p(job), ctypes.c_void_p(process))
        )

    def resume(self, process: int) -> bool:
        return bool(self._nt.NtResumeProcess(ctypes.c_void_p(process)) >= 0)

    def terminate(self, job: int, code: int) -> bool:
        return bool(self._kernel.TerminateJobObject(ctypes.c_void_p(job), code))

    def close(self, handle: int) -> None:
        self._kernel.CloseHandle(ctypes.c_void_p(handle))
