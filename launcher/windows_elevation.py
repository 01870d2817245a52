"""Runs commands as an administrator on Windows, which asks whoever sits there.

Facts: `ShellExecuteExW` with the verb `runas`, and `SHELLEXECUTEINFOW`, of Microsoft's
documentation. Somebody who says no is error 1223, ERROR_CANCELLED.
"""

import ctypes
import subprocess
from collections.abc import Callable, Sequence
from typing import Any, Protocol

_KEEP_PROCESS = 0x00000040  # SEE_MASK_NOCLOSEPROCESS
_NO_MESSAGES = 0x00000400  # SEE_MASK_FLAG_NO_UI
_HIDDEN = 0
_LIMIT_MS = 60_000
_PATH_CHARS = 260

# Runs the commands one after the other; whether the last one succeeded.
Elevated = Callable[[Sequence[Sequence[str]]], bool]


class Shell(Protocol):
    """The calls that we need."""

    def start(self, program: str, parameters: str) -> int:
        """Starts it as an administrator; the handle of the process, 0 for a refusal."""

    def exit_code(self, process: int) -> int | None:
        """Waits for its end and closes the handle; None if it takes too long."""


def run_elevated(commands: Sequence[Sequence[str]], *, shell: Shell | None = None) -> bool:
    """Asks once for all of them. Blocks until somebody has answered, and they have ended.

    `shell` is for tests.
    """
    shell = shell or _Shell32()
    joined = " & ".join(subprocess.list2cmdline(command) for command in commands)
    process = shell.start("cmd.exe", f"/d /c {joined}")
    return process != 0 and shell.exit_code(process) == 0


class _Execution(ctypes.Structure):
    """SHELLEXECUTEINFOW."""

    _fields_ = (
        ("cbSize", ctypes.c_uint32),
        ("fMask", ctypes.c_uint32),
        ("hwnd", ctypes.c_void_p),
        ("lpVerb", ctypes.c_wchar_p),
        ("lpFile", ctypes.c_wchar_p),
        ("lpParameters", ctypes.c_wchar_p),
        ("lpDirectory", ctypes.c_wchar_p),
        ("nShow", ctypes.c_int),
        ("hInstApp", ctypes.c_void_p),
        ("lpIDList", ctypes.c_void_p),
        ("lpClass", ctypes.c_wchar_p),
        ("hkeyClass", ctypes.c_void_p),
        ("dwHotKey", ctypes.c_uint32),
        ("hIconOrMonitor", ctypes.c_void_p),
        ("hProcess", ctypes.c_void_p),
    )


def execution_of(program: str, parameters: str, folder: str) -> _Execution:
    """What `ShellExecuteExW` is handed. The program lies in the folder, and is started there."""
    asked = _Execution()
    asked.cbSize = ctypes.sizeof(_Execution)
    asked.fMask = _KEEP_PROCESS | _NO_MESSAGES
    asked.lpVerb, asked.lpFile, asked.lpParameters = "runas", f"{folder}\\{program}", parameters
    asked.lpDirectory = folder  # or one of that name where we were started could take its place
    asked.nShow = _HIDDEN
    return asked


def system_folder() -> str:
    """Where Windows keeps its own programs; elsewhere one of the same name could lie."""
    windll: Any = getattr(ctypes, "windll")  # noqa: B009 - other systems have none
    folder = ctypes.create_unicode_buffer(_PATH_CHARS)
    windll.kernel32.GetSystemDirectoryW(folder, _PATH_CHARS)
    return folder.value


class _Shell32:
    """The real calls."""

    def __init__(self) -> None:
        windll: Any = getattr(ctypes, "windll")  # noqa: B009 - other systems have none
        self._shell, self._kernel = windll.shell32, windll.kernel32

    def start(self, program: str, parameters: str) -> int:
        asked = execution_of(program, parameters, system_folder())
        if not self._shell.ShellExecuteExW(ctypes.byref(asked)):
            return 0
        return int(asked.hProcess or 0)

    def exit_code(self, process: int) -> int | None:
        handle, code = ctypes.c_void_p(process), ctypes.c_uint32()
        try:
            if self._kernel.WaitForSingleObject(handle, _LIMIT_MS) != 0:
                return None
            self._kernel.GetExitCodeProcess(handle, ctypes.byref(code))
            return int(code.value)
        finally:
            self._kernel.CloseHandle(handle)
