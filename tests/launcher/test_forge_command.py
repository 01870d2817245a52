"""Tests of `launcher/forge_command.py`."""

import os
from pathlib import Path
from typing import Any

import pytest

from launcher.forge_command import auth_of, cleaned, flag, launch_of, port_of
from launcher.forge_install import ForgeInstall, NoForge

ROOT = Path("/forge")
PYTHON = ROOT / "venv" / "bin" / "python"


def install(arguments: str = "", **changes: Any) -> ForgeInstall:
    """A checkout with a virtual environment."""
    environ = {"COMMANDLINE_ARGS": arguments} | changes.pop("environ", {})
    options: dict[str, Any] = {"root": ROOT, "python": PYTHON, "venv": ROOT / "venv"}
    return ForgeInstall(**options | {"environ": environ, "is_windows": False} | changes)


@pytest.mark.parametrize(
    ("owners", "port", "added"),
    [
        ("", 7860, ["--api", "--port", "7860"]),
        ("--api --xformers", 7860, ["--port", "7860"]),
        ("--port 7865", 7865, ["--api"]),
        ("--port=7865", 7865, ["--api"]),
        ("--nowebui", 7860, ["--api", "--port", "7860", "--server-name", "127.0.0.1"]),
        ("--nowebui --listen", 7860, ["--api", "--port", "7860"]),
        ("--nowebui --server-name 10.0.0.1", 7860, ["--api", "--port", "7860"]),
    ],
)
def test_flags_are_added_and_the_owners_stay(owners: str, port: int, added: list[str]) -> None:
    launch = launch_of(install(owners), {}, port=port)
    assert launch.command == (str(PYTHON), "-u", "launch.py", *added)
    assert launch.environ["COMMANDLINE_ARGS"] == owners
    assert launch.cwd == ROOT
    assert not launch.holds_stdin


def test_owners_port_gives_way_when_it_is_taken() -> None:
    launch = launch_of(install("--port 7865 --ckpt-dir '/my models' --api"), {}, port=7866)
    assert launch.command[-2:] == ("--port", "7866")
    assert launch.environ["COMMANDLINE_ARGS"] == "--ckpt-dir '/my models' --api"


def test_environment_is_that_of_the_owners_scripts() -> None:
    launch = launch_of(install(environ={"A": "owner's"}), {"A": "ours", "PATH": "/bin"}, port=1)
    environ = launch.environ
    assert environ["A"] == "owner's"
    assert (environ["SD_WEBUI_RESTART"], environ["SD_WEBUI_RESTARTING"]) == ("tmp/restart", "1")
    assert environ["VIRTUAL_ENV"] == str(ROOT / "venv")
    assert environ["PATH"].split(":") == [str(PYTHON.parent), "/bin"]


def test_allocator_is_loaded_unless_the_owner_loads_another() -> None:
    assert launch_of(install(), {}, port=1, preload="x.so").environ["LD_PRELOAD"] == "x.so"
    theirs = launch_of(install(), {"LD_PRELOAD": "y.so"}, port=1, preload="x.so")
    assert theirs.environ["LD_PRELOAD"] == "y.so"


def test_frozen_program_leaves_nothing_in_it() -> None:
    frozen = {
        "PATH": "/bin",
        "LD_LIBRARY_PATH": "/frozen",
        "LD_LIBRARY_PATH_ORIG": "/usr/lib",
        "_PYI_ARCHIVE_FILE": "x",
        "_MEIPASS2": "x",
        "PYINSTALLER_RESET_ENVIRONMENT": "1",
        "PYTHONHOME": "/frozen",
        "PYTHONPATH": "/ours",
        "VIRTUAL_ENV": "/ours",
    }
    assert cleaned(frozen) == {"PATH": "/bin", "LD_LIBRARY_PATH": "/usr/lib"}
    del frozen["LD_LIBRARY_PATH_ORIG"]
    assert cleaned(frozen) == {"PATH": "/bin"}
    assert cleaned({"LD_LIBRARY_PATH": "/cuda"}) == {"LD_LIBRARY_PATH": "/cuda"}


@pytest.mark.parametrize(
    "changes",
    [{"python": None}, {"environ": {"ACCELERATE": "True"}}],
)
def test_scripts_do_what_only_they_can(tmp_path: Path, changes: dict[str, Any]) -> None:
    (tmp_path / "webui.sh").touch()
    made = install(root=tmp_path, **changes)
    script = str(tmp_path / "webui.sh")
    assert launch_of(made, {}, port=7).command == ("bash", script, "--api", "--port", "7")
    as_root = launch_of(made, {}, port=7, is_root=True).command
    assert as_root == ("bash", script, "-f", "--api", "--port", "7")


def test_scripts_are_used_where_they_are_needed(tmp_path: Path) -> None:
    (tmp_path / "webui.sh").touch()
    assert launch_of(install(root=tmp_path), {}, port=7, needs_scripts=True).command[0] == "bash"


def test_port_that_a_script_cannot_change_is_told(tmp_path: Path) -> None:
    (tmp_path / "webui.sh").touch()
    made = install("--port 7865", root=tmp_path, python=None)
    with pytest.raises(NoForge, match=r"takes the --port 7865 of webui-user\.sh"):
        launch_of(made, {}, port=7866)
    assert launch_of(made, {}, port=7865).command[0] == "bash"


def test_windows_calls_its_script_through_cmd(tmp_path: Path) -> None:
    (tmp_path / "webui.bat").touch()
    made = install(root=tmp_path, python=None, is_windows=True)
    assert launch_of(made, {}, port=7).command == (
        "cmd.exe", "/d", "/c", ".\\webui.bat", "--api", "--port", "7",
    )  # fmt: skip


def test_install_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoForge, match="install Forge anew"):
        launch_of(install(root=tmp_path, python=None), {}, port=7)


def test_flags_are_read() -> None:
    arguments = ["--port", "1", "--port=2", "--api-auth", "me:x,you:y", "--name"]
    assert (flag(arguments, "--port"), port_of(arguments)) == ("2", 2)
    assert (flag(arguments, "--name"), flag(arguments, "--no")) == (None, None)
    assert auth_of(arguments) == "me:x"
    assert auth_of([]) is None
    assert port_of(["--port", "x"]) is None
    assert port_of(["--port", "99999"]) is None


def test_activated_environment_of_ours_is_not_in_the_path() -> None:
    folders = [str(Path("/ours") / "bin"), "/usr/bin"]
    environ = {"VIRTUAL_ENV": str(Path("/ours")), "PATH": os.pathsep.join(folders)}
    assert cleaned(environ) == {"PATH": "/usr/bin"}
