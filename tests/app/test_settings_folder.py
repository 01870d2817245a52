"""Tests of `app/settings.py`: the data folder."""

from pathlib import Path

import pytest

from app.errors import SettingsInvalid
from app.settings import Settings, data_dir_of


def test_data_folder_is_named_or_the_users(tmp_path: Path) -> None:
    named = str(tmp_path / "named")
    assert data_dir_of({"NAVIGATOR_DATA_DIR": named}, tmp_path) == tmp_path / "named"
    assert data_dir_of({"NAVIGATOR_DATA_DIR": " "}, tmp_path).name == "navigator"
    (tmp_path / ".env").write_text(f"NAVIGATOR_DATA_DIR={named}\nHTTP_API_PORT=1001\n")
    assert data_dir_of({}, tmp_path) == tmp_path / "named"
    other = str(tmp_path / "other")
    assert data_dir_of({"NAVIGATOR_DATA_DIR": other}, tmp_path) == tmp_path / "other"
    settings = Settings.load({}, working_dir=tmp_path)
    assert (settings.data_dir, settings.http_api_port) == (tmp_path / "named", 1001)
    own_file = tmp_path / "named" / ".env"
    own_file.write_text(own_file.read_text() + f"NAVIGATOR_DATA_DIR={other}\n")
    assert Settings.load({}, working_dir=tmp_path).data_dir == tmp_path / "named"


def test_data_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "c d ä"
    Settings.load({}, data_dir=folder, working_dir=tmp_path)
    assert folder.is_dir()


def test_data_folder_that_cannot_be_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(SettingsInvalid, match="NAVIGATOR_DATA_DIR"):
            Settings.load({}, data_dir=folder, working_dir=tmp_path)
    (tmp_path / "data" / ".env.partial").mkdir(parents=True)
    with pytest.raises(SettingsInvalid, match="NAVIGATOR_DATA_DIR"):
        Settings.load({}, data_dir=tmp_path / "data", working_dir=tmp_path)
