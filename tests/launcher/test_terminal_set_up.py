"""Tests of `launcher/terminal_set_up.py`, as a person types."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from app.env_files import read_env_file
from launcher.first_run import is_known
from launcher.settings import LauncherSettings
from launcher.sharing import LanSharing
from launcher.terminal_set_up import set_up
from tests.fakes.forge_install import FakeForge


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LauncherSettings:
    """Those of somebody who has nothing yet."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "home")
    return LauncherSettings.load({}, data_dir=tmp_path / "data")


def typed(settings: LauncherSettings, text: str, installed: list[bool]) -> Result:
    """What is said to somebody who types this."""

    def install() -> tuple[int, str]:
        installed.append(True)
        return (0, "") if len(installed) == 1 else (1, "There is no network.")

    @click.command()
    def command() -> None:
        set_up(settings, {}, install_compass=install)

    return CliRunner().invoke(command, input=text)


def test_enter_alone_gives_a_working_system(settings: LauncherSettings, tmp_path: Path) -> None:
    installed: list[bool] = []
    assert not is_known(settings)
    told = typed(settings, "\n\n\n\n", installed)
    assert told.exit_code == 0, told.output
    assert read_env_file(tmp_path / "data" / ".env") == {"FORGE_DIR": "simulator"}
    assert not LanSharing.was_on(tmp_path / "data" / "launcher")
    assert installed == [True]
    assert "Compass is installed." in told.output
    assert is_known(LauncherSettings.load({}, data_dir=tmp_path / "data"))


def test_wrong_folder_is_asked_again(settings: LauncherSettings, tmp_path: Path) -> None:
    forge = FakeForge(tmp_path / "My Forge")
    text = f"/nowhere\ny\nn\nn\n{forge.root}\n\ny\ny\nciv-key\n42\ndis-secret\n"
    told = typed(settings, text, [True])
    assert told.exit_code == 0, told.output
    assert "/nowhere is no folder" in told.output
    assert read_env_file(tmp_path / "data" / ".env") == {
        "FORGE_DIR": str(forge.root), "CIVITAI_API_KEY": "civ-key", "DISCORD_CLIENT_ID": "42",
        "DISCORD_CLIENT_SECRET": "dis-secret",
    }  # fmt: skip
    assert LanSharing.was_on(tmp_path / "data" / "launcher")
    assert "It is not installed: There is no network." in told.output
    assert "civ-key" not in told.output
    assert "dis-secret" not in told.output


def test_one_who_gives_up_has_changed_nothing(settings: LauncherSettings, tmp_path: Path) -> None:
    assert typed(settings, "", []).exit_code == 1
    assert not (tmp_path / "data" / ".env").exists()
