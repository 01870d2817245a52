"""What starts a Forge: its command, and an environment that is its owner's and not ours. Pure.

Facts: forge-recordings README, section 11 (flags, `tmp/restart`, which addresses it binds), and
Forge's `webui.sh` and `webui.bat`.
"""

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from launcher.forge_install import ForgeInstall, NoForge
from launcher.process import Launch

RESTART_MARK = "tmp/restart"
_OF_FROZEN_PROGRAMS = ("_PYI_", "_MEI", "PYINSTALLER_")
_LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH")
_OF_OUR_PYTHON = {
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSAFEPATH",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
}

# Of Navigator's, and none of the business of what Forge loads.
_SECRETS = frozenset({"NAVIGATOR_LAUNCHER_TOKEN", "SECRET_KEY", "SUPERUSER_ADMIN_TOKEN"})


def flag(arguments: Sequence[str], name: str) -> str | None:
    """The value of a flag such as `--port`, the last one given; None without one."""
    found = None
    for number, argument in enumerate(arguments):
        if argument == name and number + 1 < len(arguments):
            found = arguments[number + 1]
        elif argument.startswith(f"{name}="):
            found = argument.partition("=")[2]
    return found


def port_of(arguments: Sequence[str]) -> int | None:
    """The port that the owner has chosen."""
    told = flag(arguments, "--port")
    return int(told) if told is not None and told.isdecimal() and int(told) < 65536 else None


def auth_of(arguments: Sequence[str]) -> str | None:
    """The first `user:password` of `--api-auth`."""
    told = flag(arguments, "--api-auth")
    return told.split(",")[0].strip() or None if told else None


def speaks_tls(arguments: Sequence[str]) -> bool:
    """Whether it serves https."""
    return all(flag(arguments, name) is not None for name in ("--tls-keyfile", "--tls-certfile"))


def launch_of(
    install: ForgeInstall,
    environ: Mapping[str, str],
    *,
    port: int,
    is_root: bool = False,
    needs_scripts: bool = False,
    preload: str | None = None,
) -> Launch:
    """Starts this Forge with its API on `port`. Raises `NoForge`.

    Its own Python runs `launch.py`. Its scripts do where they have to: at the very first start,
    since they make that Python, and with `needs_scripts`. `preload` is a library for `LD_PRELOAD`.
    """
    owners = install.arguments
    added = _added(owners, port)
    merged = {**cleaned(environ), **install.environ}
    merged["SD_WEBUI_RESTART"] = RESTART_MARK
    merged["SD_WEBUI_RESTARTING"] = "1"  # it opens no browser
    merged["PYTHONUNBUFFERED"] = "1"
    merged["PYTHONIOENCODING"] = "utf-8"
    if port_of(owners) not in {None, port}:
        # What stands in COMMANDLINE_ARGS comes last, and would win.
        merged["COMMANDLINE_ARGS"] = shlex.join(_without(owners, "--port"))
    accelerated = install.environ.get("ACCELERATE", "").strip('"') == "True"
    if install.python is not None and not needs_scripts and not accelerated:
        script = install.environ.get("LAUNCH_SCRIPT", "").strip() or "launch.py"
        if install.venv is not None:
            _activate(merged, install.venv, install.python.parent)
        if preload is not None and not merged.get("LD_PRELOAD"):
            merged["LD_PRELOAD"] = preload
        return Launch((str(install.python), "-u", script, *added), merged, install.root)
    if not install.is_windows and port_of(owners) not in {None, port}:
        raise NoForge(  # `webui.sh` reads `webui-user.sh` once more, so that its port would win
            f"Forge is to take port {port}, and has to be started by webui.sh, which takes the"
            f" --port {port_of(owners)} of webui-user.sh: change it there, or free that port."
        )
    return Launch(_by_script(install, added, is_root=is_root), merged, install.root)


def cleaned(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment as it was before a frozen program, or our Python, changed it."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(_OF_FROZEN_PROGRAMS) and name not in _OF_OUR_PYTHON | _SECRETS
    }
    if environ.get("VIRTUAL_ENV") and "PATH" in kept:
        # Else `python3` of Forge's scripts would be the Python of the activated environment.
        ours = {str(Path(environ["VIRTUAL_ENV"]) / name) for name in ("bin", "Scripts")}
        folders = kept["PATH"].split(os.pathsep)
        kept["PATH"] = os.pathsep.join(folder for folder in folders if folder not in ours)
    for name in _LIBRARY_PATHS:
        original = kept.pop(f"{name}_ORIG", None)
        if original is not None:
            kept[name] = original
        elif any(one.startswith(_OF_FROZEN_PROGRAMS) for one in environ):
            kept.pop(name, None)  # PyInstaller's own; there was none before
    return kept


def _added(owners: Sequence[str], port: int) -> list[str]:
    added = [] if "--api" in owners else ["--api"]
    if port_of(owners) != port:
        added += ["--port", str(port)]
    is_bound = "--listen" in owners or flag(owners, "--server-name") is not None
    if "--nowebui" in owners and not is_bound:
        added += ["--server-name", "127.0.0.1"]
    return added


def _without(arguments: Sequence[str], name: str) -> list[str]:
    kept, skips = list[str](), False
    for argument in arguments:
        if skips:
            skips = False
        elif argument == name:
            skips = True
        elif not argument.startswith(f"{name}="):
            kept.append(argument)
    return kept


def _activate(environ: dict[str, str], venv: Path, programs: Path) -> None:
    environ["VIRTUAL_ENV"] = str(venv)
    environ["PATH"] = os.pathsep.join(filter(None, (str(programs), environ.get("PATH", ""))))


def _by_script(install: ForgeInstall, added: Sequence[str], *, is_root: bool) -> tuple[str, ...]:
    script = install.root / ("webui.bat" if install.is_windows else "webui.sh")
    if not script.exists():
        raise NoForge(
            f"{install.root} has neither a Python of its own nor {script.name}, so that it cannot"
            " be started; install Forge anew."
        )
    if install.is_windows:
        # Its name alone, in the folder where it is started: cmd.exe takes parentheses of a path,
        # as of `Program Files (x86)`, for its own.
        return ("cmd.exe", "/d", "/c", f".\\{script.name}", *added)
    return ("bash", str(script), *(["-f"] if is_root else []), *added)
