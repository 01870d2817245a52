"""Tests of `app/cli/instance.py`."""

from pathlib import Path

import pytest

from app.cli.instance import only_instance
from app.errors import NavigatorError, SettingsInvalid


def test_folder_is_made_and_held_by_one_only(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    with only_instance(folder):
        assert folder.is_dir()
        with pytest.raises(NavigatorError, match="Another Navigator runs"), only_instance(folder):
            pass
    with only_instance(folder):
        pass


def test_two_folders_are_held_independently(tmp_path: Path) -> None:
    with only_instance(tmp_path / "a"), only_instance(tmp_path / "b"):
        assert (tmp_path / "a").is_dir()


def test_folder_is_free_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), only_instance(tmp_path):
        raise ZeroDivisionError
    with only_instance(tmp_path):
        pass


def test_folder_that_cannot_be_made_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(SettingsInvalid, match="NAVIGATOR_DATA_DIR"),
        only_instance(tmp_path / "file" / "data"),
    ):
        pass
