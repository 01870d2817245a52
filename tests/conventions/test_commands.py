"""The commands of the README, of `.ci/run` and of the CI workflow cannot drift apart."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from tests.conventions.tree import PROJECT

README = (PROJECT / "README.md").read_text("utf-8")
CI_RUN = PROJECT / ".ci" / "run"
_COMMAND = re.compile(r"<!-- (run|test) command, ([^>]+) -->\n```\w+\n(.+)\n```\n")
COMMANDS = {(match[1], match[2]): match[3] for match in _COMMAND.finditer(README)}
POSIX, WINDOWS = "Linux and macOS", "Windows PowerShell"


def test_readme_has_run_and_test_command_for_both_systems() -> None:
    assert set(COMMANDS) == {(do, on) for do in ("run", "test") for on in (POSIX, WINDOWS)}


def test_commands_stand_before_the_first_section() -> None:
    assert all(README.index(command) < README.index("\n## ") for command in COMMANDS.values())


@pytest.mark.parametrize("do", ["run", "test"])
def test_both_systems_do_the_same(do: str) -> None:
    posix, windows = COMMANDS[do, POSIX], COMMANDS[do, WINDOWS]
    translated = (
        posix.replace("python3 -m", "py -m")
        .replace(" && ", "; ")
        .replace(".venv/bin/", ".venv\\Scripts\\")
        .replace("packaging/", "packaging\\")
    )
    assert translated == windows


@pytest.mark.posix
def test_ci_run_calls_the_test_command(tmp_path: Path) -> None:
    """Runs the script in a stand-in of the project, with a README whose command is harmless."""
    report = '<testsuite><testcase classname="a" name="b"/></testsuite>'
    done = _ci_run(tmp_path, f"echo '{report}' > \"${{PYTEST_ADDOPTS##*=}}\"; echo CI is $CI")
    assert done.returncode == 0, done.stderr
    assert "CI is true" in done.stdout
    assert "linters ran" in done.stdout


@pytest.mark.posix
def test_ci_run_fails_on_a_skip(tmp_path: Path) -> None:
    report = (
        '<testsuite><testcase classname="a" name="b"><skipped message="no"/></testcase></testsuite>'
    )
    done = _ci_run(tmp_path, f"echo '{report}' > \"${{PYTEST_ADDOPTS##*=}}\"")
    assert done.returncode != 0
    assert "skipped: a::b: no" in done.stdout
    assert "linters ran" not in done.stdout


@pytest.mark.posix
def test_ci_run_fails_when_the_test_command_fails(tmp_path: Path) -> None:
    assert _ci_run(tmp_path, "exit 3").returncode == 3


def test_ci_run_takes_the_line_that_the_readme_shows() -> None:
    script = CI_RUN.read_text("utf-8")
    assert f"<!-- test command, {POSIX} -->" in script
    assert "pytest" not in script.replace("PYTEST_ADDOPTS", "")


def test_workflow_calls_ci_run_and_the_windows_command() -> None:
    workflow = (PROJECT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    assert "- run: bash .ci/run\n" in workflow
    assert f"run: {COMMANDS['test', WINDOWS]}\n" in workflow


@pytest.mark.parametrize("name", ["serve", "compass install", "invite"])
def test_options_of_a_command_are_in_the_readme(name: str) -> None:
    from app.cli import main

    command: click.Command = main
    for word in name.split():
        assert isinstance(command, click.Group)
        command = command.commands[word]
    options = {option for parameter in command.params for option in parameter.opts} - {"dist"}
    begin = README.index(f"| Option of `navigator {name}` |")
    table = README[begin : README.index("\n\n", begin)]
    assert set(re.findall(r"\| `(--[a-z-]+)[^`]*` \|", table)) - {"--help"} == options


@pytest.mark.parametrize("name", ["users", "invite", "settings"])
def test_sub_commands_are_in_the_readme(name: str) -> None:
    from app.cli import main

    group = main.commands[name]
    assert isinstance(group, click.Group)
    listed = set(re.findall(rf"\| `navigator {name} ([a-z-]+)[^`]*` \|", README))
    assert listed == set(group.commands)


def _ci_run(folder: Path, test_command: str) -> subprocess.CompletedProcess[str]:
    (folder / ".ci").mkdir()
    shutil.copy(CI_RUN, folder / ".ci" / "run")
    (folder / "README.md").write_text(
        f"<!-- test command, {POSIX} -->\n```sh\n{test_command}\n```\n", "utf-8"
    )
    (folder / "tests").mkdir()
    shutil.copy(PROJECT / "tests" / "skips.py", folder / "tests" / "skips.py")
    (folder / "tests" / "check.py").write_text("print('linters ran')\n", "utf-8")
    # Programs that .ci/run would otherwise install; it only looks whether they are there.
    programs = folder / "programs"
    programs.mkdir()
    codes = dict.fromkeys(("mariadbd", "mariadb-install-db", "mariadb", "docker-registry"), 1)
    for name, code in (codes | {"chromium": 1, "node": 1, "npm": 0}).items():
        (programs / name).write_text(f"#!/bin/sh\nexit {code}\n", "utf-8")
        (programs / name).chmod(0o755)
    venv = folder / ".venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "python").write_text('#!/bin/sh\nexec python3 "$@"\n', "utf-8")
    (venv / "python").chmod(0o755)
    return subprocess.run(
        ["bash", ".ci/run"],
        cwd=folder,
        env=os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
