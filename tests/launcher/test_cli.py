"""Tests of `launcher/cli.py`: the commands, as a person types them."""

import configparser
import shlex
from pathlib import Path

import click

from launcher import cli
from tests.conventions.tree import PROJECT
from tests.launcher.forges import FILE, PATCHED, UNPATCHED, make_forge
from tests.launcher.launching import told


async def test_nobody_there_is_told(tmp_path: Path) -> None:
    for arguments in (["status"], ["status", "--json"], ["restart", "forge"], ["stop"]):
        ended = await told(tmp_path, *arguments)
        assert (ended.code, ended.printed) == (1, "")
        assert ended.errors == "navigator-launcher: Navigator's launcher does not run.\n"


async def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    for arguments in (["restart", "windows"], ["dance"], ["restart"], ["--http-port=x"]):
        assert (await told(tmp_path, *arguments)).code == 2


async def test_patch_is_put_in_and_taken_out(tmp_path: Path) -> None:
    forge = make_forge(tmp_path / "forge")
    for name in ("launch.py", "webui.py"):
        (forge / name).touch()
    options = (f"--forge-dir={forge}",)
    needed = await told(tmp_path, "forge", "check", *options)
    assert (needed.code, needed.errors) == (1, "")
    assert needed.printed.startswith("txt2img-first-pass-image: ")
    assert (await told(tmp_path, "forge", "apply", *options)).code == 0
    assert (forge / FILE).read_bytes() == PATCHED
    assert (await told(tmp_path, "forge", "check", *options)).code == 0
    assert (await told(tmp_path, "forge", "revert", *options)).code == 0
    assert (forge / FILE).read_bytes() == UNPATCHED
    nowhere = await told(tmp_path, "forge", "check", f"--forge-dir={tmp_path / 'nowhere'}")
    assert nowhere.code == 1
    assert "is no folder" in nowhere.errors


def test_commands_and_options_are_in_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text("utf-8")
    for name, command in cli.main.commands.items():
        subcommands = command.commands if isinstance(command, click.Group) else {"": command}
        for subcommand in subcommands:
            assert f"`navigator-launcher {f'{name} {subcommand}'.strip()}" in readme
    shown = [one for one in cli.main.params if not getattr(one, "hidden", False)]
    for parameter in shown:
        assert f"`{parameter.opts[0]}" in readme or f"{parameter.opts[0]} " in readme


def test_service_file_starts_what_there_is() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(PROJECT / "packaging" / "linux" / "navigator.service")
    service = unit["Service"]
    program, *options = shlex.split(service["ExecStart"])
    assert Path(program).name == "navigator-launcher"
    known = {option for parameter in cli.main.params for option in parameter.opts}
    assert set(options) <= known
    assert service["RestartPreventExitStatus"] == str(cli.EXIT_SETTINGS_INVALID)
    assert service["KillMode"] == "mixed"
    assert service["OOMPolicy"] == "continue"


async def test_forge_that_is_named_before_the_command_is_the_one_that_is_meant(
    tmp_path: Path,
) -> None:
    nowhere = tmp_path / "nowhere"
    found = await told(tmp_path, f"--forge-dir={nowhere}", "forge", "check")
    assert (found.code, f"{nowhere} is no folder" in found.errors) == (1, True)
