"""Starts the launcher when its user logs in. Nothing of the system is touched, only of the user."""

import contextlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

FLAG = "--at-login"
_NAME = "Navigator"
_RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
_ENTRY = """\
[Desktop Entry]
Type=Application
Name=Navigator
Comment=Share the GPU with friends
Exec={command}
Terminal=false
X-GNOME-Autostart-enabled=true
"""


class Autostart(Protocol):
    """How one system does it. Raises OSError when it does not let us."""

    def is_on(self) -> bool:
        """Whether it is started then."""

    def turn(self, on: bool) -> None:
        """From now on, or not any more."""


class XdgAutostart:
    """A file in the user's folder `autostart` (freedesktop.org's Autostart specification)."""

    def __init__(self, environ: Mapping[str, str], command: Sequence[str]):
        home = environ.get("XDG_CONFIG_HOME", "").strip()
        folder = Path(home) if home else Path.home() / ".config"
        self._file = folder / "autostart" / "navigator.desktop"
        self._command = command

    def is_on(self) -> bool:
        try:
            text = self._file.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return False
        return "Hidden=true" not in text and "X-GNOME-Autostart-enabled=false" not in text

    def turn(self, on: bool) -> None:
        if not on:
            self._file.unlink(missing_ok=True)
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        command = " ".join(_quoted(word) for word in self._command)
        self._file.write_text(_ENTRY.format(command=command), "utf-8")


class RunKey:
    """A value in the user's registry. `registry` is for tests; else `winreg`."""

    def __init__(self, command: Sequence[str], registry: Any = None):
        if registry is None:
            import winreg as registry  # noqa: PLC0415 - Windows only
        self._registry = registry
        self._command = command

    def is_on(self) -> bool:
        with contextlib.suppress(OSError), self._key(self._registry.KEY_READ) as key:
            return bool(self._registry.QueryValueEx(key, _NAME)[0])
        return False

    def turn(self, on: bool) -> None:
        import subprocess  # noqa: PLC0415 - only for its quoting

        with self._key(self._registry.KEY_SET_VALUE) as key:
            if on:
                command = subprocess.list2cmdline(self._command)
                self._registry.SetValueEx(key, _NAME, 0, self._registry.REG_SZ, command)
            else:
                with contextlib.suppress(FileNotFoundError):
                    self._registry.DeleteValue(key, _NAME)

    def _key(self, access: int) -> Any:
        registry = self._registry
        return registry.OpenKey(registry.HKEY_CURRENT_USER, _RUN_KEY, 0, access)


def of_this_system(environ: Mapping[str, str], command: Sequence[str]) -> Autostart | None:
    """This system's way; None where there is none."""
    if sys.platform == "win32":
        return RunKey(command)
    return XdgAutostart(environ, command) if sys.platform == "linux" else None


def own_command(data_dir: Path, options: Sequence[str] = ()) -> list[str]:
    """What starts us, as we were started, with the same data folder and the same options."""
    ours = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "launcher"]
    return [*ours, f"--data-dir={data_dir}", *options, FLAG]


def _quoted(word: str) -> str:
    """As the specification of desktop entries wants it in `Exec`."""
    escaped = "".join(f"\\{c}" if c in '"`$\\' else c for c in word).replace("%", "%%")
    return f'"{escaped}"'.replace("\\", "\\\\") if any(c in word for c in ' "`$\\') else escaped
