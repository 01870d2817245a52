"""Finds a Forge, and reads how its owner starts it. Nothing of it is executed or changed.

Facts: Forge's `webui.sh`, `webui-user.sh`, `webui.bat`, `webui-user.bat`, and `environment.bat` and
`run.bat` of its one-click package for Windows.
"""

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from launcher.errors import LauncherError
from launcher.webui_user import arguments, read_batch, read_shell

IS_WINDOWS = sys.platform == "win32"
_NAMES = (
    "stable-diffusion-webui-forge",
    "webui_forge_cu121_torch231",
    "webui_forge_cu121_torch21",
    "webui_forge_cu124_torch24",
    "sd-webui-forge",
    "webui-forge",
    "forge",
    "Forge",
)
_PLACES = ("", "ai", "AI", "sd", "src", "git", "Documents", "Desktop", "Downloads", "apps")
_MARKS = ("launch.py", "modules", "webui.py")
_SHELL_NAMES = {"python_cmd": "PYTHON", "venv_dir": "VENV_DIR"}
# What its scripts also take from whoever calls them.
_FROM_OUTSIDE = (
    "COMMANDLINE_ARGS",
    "VENV_DIR",
    "PYTHON",
    "ACCELERATE",
    "LAUNCH_SCRIPT",
    "SKIP_VENV",
)


class NoForge(LauncherError):
    """There is no Forge where one should be."""


@dataclass(frozen=True)
class ForgeInstall:
    """A Forge. `root` holds its `launch.py`.

    `environ` is what its owner's scripts set, `COMMANDLINE_ARGS` among it; `python` its own
    interpreter, None as long as its scripts have not made one.
    """

    root: Path
    environ: Mapping[str, str] = field(repr=False)
    python: Path | None
    venv: Path | None
    is_windows: bool = IS_WINDOWS

    @property
    def arguments(self) -> tuple[str, ...]:
        """The owner's flags. Raises `NoForge` when they cannot be read."""
        text = self.environ.get("COMMANDLINE_ARGS", "")
        try:
            return tuple(arguments(text))
        except ValueError as error:
            script = "webui-user.bat" if self.is_windows else "webui-user.sh"
            raise NoForge(
                f"COMMANDLINE_ARGS in {script} has a quote that is never closed."
            ) from error


def read(
    folder: Path, environ: Mapping[str, str], *, is_windows: bool = IS_WINDOWS
) -> ForgeInstall:
    """The Forge in a folder that somebody named, or in `webui` below it. Raises `NoForge`."""
    try:
        root = next((one for one in (folder, folder / "webui") if is_forge(one)), None)
    except OSError as error:
        raise NoForge(f"{folder} cannot be read ({error.strerror}).") from error
    if root is None:
        there = "is no folder" if not folder.is_dir() else "holds no Forge (no launch.py)"
        raise NoForge(f"{folder} {there}; name Forge's folder with FORGE_DIR or --forge-dir.")
    found = _told(root, environ, is_windows=is_windows)
    venv = _venv(root, found)
    return ForgeInstall(
        root=root,
        environ=found,
        python=_python(root, found, venv, is_windows=is_windows),
        venv=venv,
        is_windows=is_windows,
    )


def folder_of(named: Path | None, environ: Mapping[str, str]) -> Path:
    """The root of the Forge that is named, or lies in a usual place. Raises `NoForge`."""
    folder = named or find(usual_places(Path.home(), Path.cwd()))
    if folder is None:
        raise NoForge("No Forge was found; name its folder with FORGE_DIR or --forge-dir.")
    return read(folder, environ).root


def is_forge(folder: Path) -> bool:
    """Whether the folder holds what is started."""
    return all((folder / mark).exists() for mark in _MARKS)


def usual_places(home: Path, working_dir: Path) -> Iterator[Path]:
    """Where people have it, the likeliest first."""
    yield working_dir
    for base in (working_dir, working_dir.parent, *(home / place for place in _PLACES)):
        for name in _NAMES:
            yield base / name
    for drive in _drives():
        for name in _NAMES:
            yield drive / name


def find(places: Iterable[Path]) -> Path | None:
    """The first of the places that holds a Forge."""
    for place in places:
        with contextlib.suppress(OSError):  # one that may not be read
            if is_forge(place) or is_forge(place / "webui"):
                return place
    return None


def _drives() -> list[Path]:
    if not IS_WINDOWS:
        return [Path("/opt")]
    return [Path(f"{letter}:/") for letter in "CDEFG"]


def _told(root: Path, environ: Mapping[str, str], *, is_windows: bool) -> dict[str, str]:
    """What the owner's scripts set, and what they take from the environment."""
    found = {name: environ[name] for name in _FROM_OUTSIDE if name in environ}
    if not is_windows:
        for name, first in _SHELL_NAMES.items():
            found |= {first: environ[name]} if name in environ else {}
        set_there = read_shell(_text(root / "webui-user.sh"), environ)
        return found | {_SHELL_NAMES.get(name, name): told for name, told in set_there.items()}
    package = root.parent
    for script in (package / "environment.bat", root / "webui-user.bat",
                   root / "webui.settings.bat"):  # fmt: skip
        known = {**environ, **found}
        found |= read_batch(_text(script), known, folder=str(script.parent))
    return {name: value for name, value in found.items() if value}


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig", errors="replace")
    except OSError:
        return ""


def _venv(root: Path, found: Mapping[str, str]) -> Path | None:
    """The folder of its virtual environment; None if its owner wants none."""
    named = found.get("VENV_DIR", "").strip() or "venv"
    if named == "-" or found.get("SKIP_VENV") == "1":
        return None
    return root / named


def _python(
    root: Path, found: Mapping[str, str], venv: Path | None, *, is_windows: bool
) -> Path | None:
    if venv is not None:
        inside = venv / ("Scripts/python.exe" if is_windows else "bin/python")
        return inside if inside.exists() else None
    packaged = root.parent / "system" / "python" / "python.exe"
    if is_windows and packaged.exists():
        return packaged
    named = found.get("PYTHON", "").strip().strip('"')
    return Path(named) if named and Path(named).is_absolute() else None
