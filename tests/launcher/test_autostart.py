"""Tests of `launcher/autostart.py`."""

import configparser
import contextlib
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.autostart import RunKey, XdgAutostart, of_this_system, own_command

COMMAND = ["/opt/My Apps/navigator", '--data-dir=/data/50% "$HOME"', "--at-login"]


def test_entry_is_written_and_removed(tmp_path: Path) -> None:
    autostart = XdgAutostart({"XDG_CONFIG_HOME": str(tmp_path)}, COMMAND)
    assert not autostart.is_on()
    autostart.turn(True)
    autostart.turn(True)
    assert autostart.is_on()
    entry = configparser.ConfigParser(interpolation=None, strict=True)
    entry.read(tmp_path / "autostart" / "navigator.desktop")
    told = entry["Desktop Entry"]
    assert (told["Type"], told["Name"], told["Terminal"]) == ("Application", "Navigator", "false")
    # The specification's two rounds: of the string, then of the command.
    words = shlex.split(told["Exec"].replace("\\\\", "\\").replace("%%", "%"))
    assert [word.replace("\\$", "$") for word in words] == COMMAND  # which shlex leaves
    autostart.turn(False)
    autostart.turn(False)
    assert not autostart.is_on()


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false"])
def test_entry_that_the_desktop_has_switched_off_is_off(tmp_path: Path, line: str) -> None:
    autostart = XdgAutostart({"XDG_CONFIG_HOME": str(tmp_path)}, COMMAND)
    (tmp_path / "autostart").mkdir()
    (tmp_path / "autostart" / "navigator.desktop").write_text(f"[Desktop Entry]\n{line}\n")
    assert not autostart.is_on()


class Registry:
    """winreg, as far as it is used."""

    HKEY_CURRENT_USER, KEY_READ, KEY_SET_VALUE, REG_SZ = 1, 2, 4, 8

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    @contextlib.contextmanager
    def OpenKey(self, root: int, path: str, reserved: int, access: int) -> Iterator[str]:  # noqa: N802
        assert (root, path) == (1, r"Software\Microsoft\Windows\CurrentVersion\Run")
        yield path

    def QueryValueEx(self, key: str, name: str) -> tuple[str, int]:  # noqa: N802
        if name not in self.values:
            raise FileNotFoundError(name)
        return self.values[name], self.REG_SZ

    def SetValueEx(self, key: str, name: str, _: int, kind: int, value: str) -> None:  # noqa: N802
        self.values[name] = value

    def DeleteValue(self, key: str, name: str) -> None:  # noqa: N802
        del self.values[name]


def test_run_key_is_set_and_removed() -> None:
    registry = Registry()
    registry.DeleteValue = lambda key, name: registry.values.pop(name)  # type: ignore[method-assign, assignment]
    autostart = RunKey(["C:\\My Apps\\navigator-tray.exe", "--at-login"], registry)
    assert not autostart.is_on()
    autostart.turn(True)
    assert autostart.is_on()
    assert registry.values == {"Navigator": '"C:\\My Apps\\navigator-tray.exe" --at-login'}
    autostart.turn(False)
    assert not autostart.is_on()


@pytest.mark.posix
def test_we_are_started_as_we_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_command(tmp_path) == [
        sys.executable, "-m", "launcher", f"--data-dir={tmp_path}", "--at-login",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_command(tmp_path)[:2] == [sys.executable, f"--data-dir={tmp_path}"]
    assert isinstance(of_this_system({}, ["x"]), XdgAutostart)
