"""Fixtures for tests of databases."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.database.migration import migrate
from app.setting_types import DatabaseLocation
from tests.databases import MODEL_MODULES


@pytest.fixture
def elsewhere(new_database_location: DatabaseLocation, tmp_path: Path) -> DatabaseLocation:
    """Another database of the same kind as `new_database_location`; nothing is there."""
    if new_database_location.path:
        return DatabaseLocation("sqlite", path=tmp_path / "other.sqlite3")
    return replace(new_database_location, name="other")


@pytest.fixture
async def database_location(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> DatabaseLocation:
    """A migrated, empty database that nobody has opened. Here it is not a copy of one."""
    await migrate(new_database_location, MODEL_MODULES, backups_dir=tmp_path / "backups")
    return new_database_location
