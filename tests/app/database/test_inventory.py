"""Tests of `app/database/inventory.py`."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.database.connection import is_unavailable
from app.database.inventory import Inventory, inventory
from app.database.migration import migration_names
from app.errors import SettingsInvalid
from app.setting_types import DatabaseLocation
from tests.databases import PrivateMariadb


async def test_nothing_is_found_and_nothing_is_created(
    new_database_location: DatabaseLocation,
) -> None:
    for _ in range(2):
        assert await inventory(new_database_location) == Inventory()
    assert new_database_location.path is None or not new_database_location.path.exists()


async def test_tables_and_migrations_are_found(database_location: DatabaseLocation) -> None:
    found = await inventory(database_location)
    assert {"account", "job", "generated_image", "aerich"} <= found.tables
    assert found.applied == tuple(f"{name}.py" for name in migration_names(database_location))
    assert not found.is_of_earlier_navigator


async def test_file_that_is_no_database_is_an_invalid_setting(tmp_path: Path) -> None:
    path = tmp_path / "navigator.sqlite3"
    path.write_text("a letter, not a database\n" * 100)
    with pytest.raises(SettingsInvalid, match="not a usable database"):
        await inventory(DatabaseLocation("sqlite", path=path))


async def test_locked_file_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "navigator.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE a (b)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as caught:
            await inventory(DatabaseLocation("sqlite", path=path), busy_timeout_s=0.01)
    assert is_unavailable(caught.value)


async def test_absent_server_is_unavailable(mariadb: PrivateMariadb, unused_port: int) -> None:
    with pytest.raises(Exception, match="cannot connect") as caught:
        await inventory(replace(mariadb.location(), port=unused_port))
    assert is_unavailable(caught.value)
