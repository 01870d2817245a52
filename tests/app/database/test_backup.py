"""Tests of `app/database/backup.py`."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from app.accounts.models import User
from app.database.backup import KEPT_COPIES, back_up
from app.errors import NavigatorError
from app.setting_types import DatabaseLocation


async def test_copy_holds_the_rows_of_its_moment(
    database: DatabaseLocation, tmp_path: Path
) -> None:
    await User.create(id="a")
    copy = await back_up(database, tmp_path / "copies", before="1_next")
    await User.create(id="too late")
    assert "-before-1_next." in copy.name
    if database.dialect == "sqlite":
        assert database.path is not None
        assert b"too late" not in database.path.read_bytes()  # the WAL has it
        with closing(sqlite3.connect(copy)) as restored:
            assert restored.execute("SELECT id FROM account").fetchall() == [("a",)]
        assert [path.name for path in copy.parent.iterdir()] == [copy.name]
    else:
        text = copy.read_text("utf-8")
        assert "('a'," in text
        assert "too late" not in text


async def test_copy_is_private(database_location: DatabaseLocation, tmp_path: Path) -> None:
    copy = await back_up(database_location, tmp_path / "copies", before="1_next")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


async def test_only_the_last_copies_are_kept(
    database_location: DatabaseLocation, tmp_path: Path
) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / "navigator-cut-off.sqlite3.partial").touch()
    (folder / "holiday.jpg").touch()
    made = [
        await back_up(database_location, folder, before=f"{number}_next")
        for number in range(KEPT_COPIES + 2)
    ]
    assert sorted(folder.iterdir()) == sorted([folder / "holiday.jpg", *made[-KEPT_COPIES:]])


async def test_copy_that_cannot_be_written_is_an_error_with_its_path(
    database_location: DatabaseLocation, tmp_path: Path
) -> None:
    (tmp_path / "copies").write_text("a file where the folder should be")
    with pytest.raises(NavigatorError, match=r"was not migrated, because the copy .*copies"):
        await back_up(database_location, tmp_path / "copies", before="1_next")


async def test_failed_copy_leaves_no_file(tmp_path: Path) -> None:
    broken = DatabaseLocation("sqlite", path=tmp_path / "missing" / "navigator.sqlite3")
    with pytest.raises(NavigatorError):
        await back_up(broken, tmp_path / "copies", before="1_next")
    assert list((tmp_path / "copies").iterdir()) == []
