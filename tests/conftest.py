"""Fixtures that every test may use: databases of both kinds, a container registry, a browser."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tortoise.backends.base.executor import EXECUTOR_CACHE

from app.database.connection import opened
from app.database.migration import migrate
from app.setting_types import DatabaseLocation
from tests.databases import MODEL_MODULES, PrivateMariadb, free_port, missing_mariadb
from tests.e2e.browser import Browser, missing_browser
from tests.registries import PrivateRegistry, missing_registry

_IMPOSSIBLE_HERE = {"gpu", "posix" if sys.platform == "win32" else "windows"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what cannot run here, also when `-m` on the command line replaces our default."""
    left_out = [item for item in items if any(map(item.get_closest_marker, _IMPOSSIBLE_HERE))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def _forget_statements() -> None:
    # Tortoise keeps statements by the name of the connection, which both dialects share. Only
    # tests use both in one process.
    EXECUTOR_CACHE.clear()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[PrivateMariadb]:
    """A MariaDB server for the whole session."""
    _need(missing_mariadb())
    server = PrivateMariadb()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def private_registry() -> Iterator[PrivateRegistry]:
    """A container registry for the whole session."""
    _need(missing_registry())
    with PrivateRegistry.running() as registry:
        yield registry


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium for the whole session."""
    _need(missing_browser())
    with Browser.running() as running:
        yield running


@pytest.fixture(params=["sqlite", "mariadb"])
def new_database_location(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[DatabaseLocation]:
    """Where a database can be; nothing is there yet."""
    if request.param == "sqlite":
        yield DatabaseLocation("sqlite", path=tmp_path / "navigator.sqlite3")
        return
    server: PrivateMariadb = request.getfixturevalue("mariadb")
    location = server.location()
    yield location
    server.sql(f"DROP DATABASE IF EXISTS `{location.name}`")


@pytest.fixture
async def database_location(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> DatabaseLocation:
    """A migrated, empty database that nobody has opened."""
    await migrate(new_database_location, MODEL_MODULES, backups_dir=tmp_path / "backups")
    return new_database_location


@pytest.fixture
async def database(database_location: DatabaseLocation) -> AsyncIterator[DatabaseLocation]:
    """A migrated, empty database that the models are connected to."""
    async with opened(database_location, MODEL_MODULES):
        yield database_location


@pytest.fixture
def unused_port() -> int:
    """A port of the loopback address where nobody listens."""
    return free_port()


def _need(problem: str | None) -> None:
    """Leaves the test out when a program is missing here; in CI that is a failure."""
    if problem is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)
