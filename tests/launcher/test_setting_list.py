"""Tests of `launcher/setting_list.py`, with the real `navigator settings`."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from launcher.navigator import NoAnswer, own_command
from launcher.setting_list import SettingList
from tests.fakes.forge_install import FakeForge
from tests.processes import environment

SECRET = "topsecret"
TEXT = f"# mine\nCIVITAI_API_KEY={SECRET}\nJOB_ATTEMPTS=5\nBOT_TOKEN=abc\n"


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / ".env").write_text(TEXT)
    return folder


def list_of(data_dir: Path, **environ: str) -> SettingList:
    """The settings of the folder."""
    return SettingList(data_dir, environment(environ))


def own(data_dir: Path) -> str:
    """The owner's file."""
    return (data_dir / ".env").read_text()


async def test_all_settings_are_read_but_no_secret(data_dir: Path) -> None:
    found = {one.name: one for one in await list_of(data_dir, DB_PORT="7").read()}
    assert found["JOB_ATTEMPTS"].own == "5"
    key = found["CIVITAI_API_KEY"]
    assert (key.value, key.own, key.is_set, key.said_by) == (None, "", True, "data folder")
    assert (found["DB_PORT"].value, found["DB_PORT"].own) == ("7", "")
    assert found["FORGE_DIR"].section == "Forge and the queue"
    assert "BOT_TOKEN" in found  # another name, but the owner uses it
    assert "ENABLE_LORA_SUPPORT" not in found
    assert "NAVIGATOR_DATA_DIR" not in found
    assert SECRET not in repr(found)


async def test_possible_change_is_written_and_the_rest_stays(data_dir: Path) -> None:
    changes = {"JOB_ATTEMPTS": None, "HTTP_API_PORT": "3400", "COMPASS_DIR": "/my folder/x"}
    assert await list_of(data_dir).change(changes) == {}
    assert own(data_dir) == (
        f"# mine\nCIVITAI_API_KEY={SECRET}\nBOT_TOKEN=abc\nHTTP_API_PORT=3400\n"
        "COMPASS_DIR='/my folder/x'\n"
    )
    assert [path.name for path in data_dir.iterdir()] == [".env"]


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"JOB_ATTEMPTS": "200"}, {"JOB_ATTEMPTS": "input should be less than or equal to 100"}),
        ({"JOB_ATTEMPTS": "x", "HTTP_API_PORT": "99999"}, {"JOB_ATTEMPTS", "HTTP_API_PORT"}),
        ({"FORGE_RAM_LIMIT": "much"}, {"FORGE_RAM_LIMIT": "must be a number from 0 on, not much."}),
        ({"FORGE_DIR": "/nowhere"}, {"FORGE_DIR"}),
        ({"DB_URL": "a\nb"}, {"DB_URL": "one line of plain text, please"}),
        ({"SD_API_AUTH": "x"}, {"SD_API_AUTH": "must be user:password"}),
        ({"HTTP_API_HOST": "foo bar"}, {"HTTP_API_HOST"}),
        ({"JOB_STALL_MINUTES": "inf"}, {"JOB_STALL_MINUTES"}),
    ],
)
async def test_impossible_change_is_told_and_nothing_written(
    data_dir: Path, changes: Mapping[str, str], problems: Mapping[str, str] | set[str]
) -> None:
    found = await list_of(data_dir).change(changes)
    assert (found.keys() if isinstance(problems, set) else found) == problems
    assert own(data_dir) == TEXT
    assert [path.name for path in data_dir.iterdir()] == [".env"]


async def test_folder_of_forge_is_looked_at(data_dir: Path, tmp_path: Path) -> None:
    forge = FakeForge(tmp_path / "forge")
    assert await list_of(data_dir).change({"FORGE_DIR": str(forge.root)}) == {}
    assert await list_of(data_dir).change({"FORGE_DIR": "simulator"}) == {}
    assert "FORGE_DIR=simulator\n" in own(data_dir)


async def test_folder_that_is_not_there_is_no_error_but_told(data_dir: Path) -> None:
    gone = str(data_dir / "gone")
    assert await list_of(data_dir).change({"MODEL_DIR": gone, "COMPASS_DIR": str(data_dir)}) == {}
    found = {one.name: one.remark for one in await list_of(data_dir).read()}
    assert (found["MODEL_DIR"], found["COMPASS_DIR"]) == ("This folder is not there now. ", "")


async def test_first_setting_makes_the_file_for_its_owner_alone(data_dir: Path) -> None:
    (data_dir / ".env").unlink()
    assert await list_of(data_dir).change({"HTTP_API_PORT": "3400"}) == {}
    assert own(data_dir) == "HTTP_API_PORT=3400\n"
    if os.name == "posix":
        assert (data_dir / ".env").stat().st_mode & 0o777 == 0o600


async def test_unknown_line_is_told_and_can_be_taken_out(data_dir: Path) -> None:
    (data_dir / ".env").write_text("NO_SUCH_THING=1\n")
    settings = list_of(data_dir)
    problems = await settings.change({"HTTP_API_PORT": "3400"})
    assert problems == {"NO_SUCH_THING": "is not a setting of Navigator"}
    first = (await settings.read())[0]
    assert (first.name, first.is_secret, first.said_by) == ("NO_SUCH_THING", True, "data folder")
    assert await settings.change({"NO_SUCH_THING": None, "HTTP_API_PORT": "3400"}) == {}
    assert own(data_dir) == "HTTP_API_PORT=3400\n"


async def test_option_of_the_command_line_wins(data_dir: Path) -> None:
    options = ["--http-port=3500", "--lan", "--forge-dir=/forge"]
    settings = SettingList(data_dir, environment({}), options=options)
    found = {one.name: (one.value, one.said_by) for one in await settings.read()}
    assert found["HTTP_API_PORT"] == ("3500", "command line")
    assert found["FORGE_DIR"] == ("/forge", "command line")
    assert found["HTTP_API_HOST"] == ("every address (--lan)", "command line")
    assert found["RT_API_PORT"] == ("3334", None)


async def test_many_changes_at_once_are_all_kept(data_dir: Path) -> None:
    names = ("HTTP_API_PORT", "RT_API_PORT", "DB_PORT", "JOB_ATTEMPTS", "THUMBNAIL_CACHE_MB")
    settings = list_of(data_dir)
    found = await asyncio.gather(*(settings.change({name: "42"}) for name in names))
    assert found == [{}] * len(names)
    assert all(f"{name}=42\n" in own(data_dir) for name in names)
    assert [path.name for path in data_dir.iterdir()] == [".env"]


async def test_navigator_that_cannot_be_run_is_told(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.navigator.own_command", lambda: ("/nowhere/navigator",))
    with pytest.raises(NoAnswer, match="cannot be asked"):
        await list_of(data_dir).read()
    words = (*own_command(), "--no-such-option")
    monkeypatch.setattr("launcher.navigator.own_command", lambda: words)
    with pytest.raises(NoAnswer, match="No such option"):
        await list_of(data_dir).read()
