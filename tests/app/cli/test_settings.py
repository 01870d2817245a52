"""Tests of `app/cli/settings.py`: the command as its users call it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import main


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder, with nothing said elsewhere."""
    near = tmp_path / "near"
    near.mkdir()
    monkeypatch.chdir(near)
    for name in ("HTTP_API_PORT", "RT_API_PORT", "CIVITAI_API_KEY", "DB_PORT"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def run(data_dir: Path, *arguments: str) -> Result:
    """`navigator settings …`."""
    return CliRunner().invoke(main, ["settings", *arguments, "--data-dir", str(data_dir)])


def listed(data_dir: Path) -> dict[str, dict[str, Any]]:
    """What `list --json` says, by name."""
    told = json.loads(run(data_dir, "list", "--json").stdout)
    assert told["env_file"] == str(data_dir / ".env")
    return {one["name"]: one for one in told["settings"]}


def test_list_says_what_holds_and_who_says_so(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data_dir / ".env").write_text("HTTP_API_PORT=2001\nRT_API_PORT=2002\n")
    Path(".env").write_text("RT_API_PORT=1002\nDB_PORT=1003\n")
    monkeypatch.setenv("HTTP_API_PORT", "3001")
    found = listed(data_dir)
    assert {name: (one["value"], one["said_by"]) for name, one in found.items()}.items() >= {
        "HTTP_API_PORT": ("3001", "environment"),
        "RT_API_PORT": ("2002", "data folder"),
        "DB_PORT": ("1003", "./.env"),
        "DB_USER": ("root", None),
    }.items()
    assert "HTTP_API_PORT" in run(data_dir, "list").stdout
    assert list(data_dir.iterdir()) == [data_dir / ".env"]  # nothing is made


def test_nothing_is_no_number(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data_dir / ".env").write_text("HTTP_API_PORT=2001\n")
    monkeypatch.setenv("HTTP_API_PORT", "")
    found = listed(data_dir)["HTTP_API_PORT"]
    assert (found["value"], found["said_by"]) == ("2001", "data folder")


def test_unknown_lines_are_listed(data_dir: Path) -> None:
    (data_dir / ".env").write_text("MINE=topsecret\n")
    printed = run(data_dir, "list", "--json").stdout
    assert json.loads(printed)["unknown"] == ["MINE"]
    assert "topsecret" not in printed


def test_secrets_are_not_shown(data_dir: Path) -> None:
    (data_dir / ".env").write_text(
        "CIVITAI_API_KEY=topsecret\nSD_API_HOST=http://me:topsecret@host:7860/sdapi/v1\n"
    )
    for arguments in (["list"], ["list", "--json"]):
        assert "topsecret" not in run(data_dir, *arguments).stdout
    found = listed(data_dir)
    assert (found["CIVITAI_API_KEY"]["is_set"], found["DB_PASSWORD"]["is_set"]) == (True, False)


def test_check_says_what_is_impossible(data_dir: Path) -> None:
    assert run(data_dir, "check").stdout == "All settings are possible.\n"
    (data_dir / ".env").write_text("HTTP_API_PORT=99999\nDB_PORT=x\n")
    result = run(data_dir, "check", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["valid"], set(told["problems"])) == (
        78, False, {"HTTP_API_PORT", "DB_PORT"},
    )  # fmt: skip
    assert "HTTP_API_PORT" in run(data_dir, "check").stderr


def test_check_of_another_file_leaves_the_folder_alone(data_dir: Path, tmp_path: Path) -> None:
    (data_dir / ".env").write_text("HTTP_API_PORT=99999\n")
    candidate = tmp_path / "candidate"
    candidate.write_text("HTTP_API_PORT=2001\n")
    assert json.loads(run(data_dir, "check", "--json", "--env-file", str(candidate)).stdout) == {
        "valid": True,
        "problem": None,
        "problems": {},
    }
    candidate.write_text("NO_SUCH_THING=1\n")
    told = json.loads(run(data_dir, "check", "--json", "--env-file", str(candidate)).stdout)
    assert told["problems"] == {"NO_SUCH_THING": "is not a setting of Navigator"}
    assert candidate.read_text() == "NO_SUCH_THING=1\n"
