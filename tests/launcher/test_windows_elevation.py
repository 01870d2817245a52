"""Tests of `launcher/windows_elevation.py` with a fake of the calls."""

import ctypes
from dataclasses import dataclass, field

import pytest

from launcher.windows_elevation import execution_of, run_elevated


@dataclass
class FakeShell:
    """A Windows whose owner says yes, unless the handle is 0."""

    process: int = 7
    code: int | None = 0
    started: list[tuple[str, str]] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)

    def start(self, program: str, parameters: str) -> int:
        self.started.append((program, parameters))
        return self.process

    def exit_code(self, process: int) -> int | None:
        self.waited.append(process)
        return self.code


@pytest.mark.parametrize(
    ("process", "code", "worked"), [(7, 0, True), (7, 1, False), (7, None, False), (0, 0, False)]
)
def test_commands_run_one_after_the_other_and_one_answer_does(
    process: int, code: int | None, worked: bool
) -> None:
    shell = FakeShell(process, code)
    assert run_elevated([["netsh", "delete"], ["netsh", "add", "a b"]], shell=shell) is worked
    assert shell.started == [("cmd.exe", '/d /c netsh delete & netsh add "a b"')]
    assert shell.waited == ([process] if process else [])


def test_program_of_the_system_is_run_as_an_administrator() -> None:
    asked = execution_of("cmd.exe", "/c x", r"C:\Windows\System32")
    assert asked.lpVerb == "runas"
    assert asked.lpFile == r"C:\Windows\System32\cmd.exe"
    assert asked.lpDirectory == r"C:\Windows\System32"
    assert asked.lpParameters == "/c x"
    assert asked.cbSize == ctypes.sizeof(asked)
    if ctypes.sizeof(ctypes.c_void_p) == 8:
        assert asked.cbSize == 112  # as Windows' headers have it
