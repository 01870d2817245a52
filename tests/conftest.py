"""Fixtures that every test may use: databases of both kinds, a container registry, a browser."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tortoise.backends.base.executor import EXECUTOR_CACHE
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from app.database.connection import opened
from app.setting_types import DatabaseLocation
from tests.databases import MODEL_MODULES, PrivateMariadb, free_port, missing_mariadb
from tests.e2e.browser import Browser, missing_browser
from tests.registries import PrivateRegistry, missing_registry
from tests.templates import copy_to_mariadb, copy_to_sqlite

# Their tests share what takes a while to make: an installation, the world of the recordings.
_WHOLE_FILES = ("tests/test_installation.py", "tests/parity/")
_IMPOSSIBLE_HERE = {"gpu", "posix" if sys.platform == "win32" else "windows"}


def pytest_configure() -> None:
    """Lets the programs of tests hear SIGHUP, also when the tests run under nohup."""
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many processes run the tests: none but this one when a file or folder was named."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return 0
    # One more than there are cores, because many tests wait for servers and databases.
    return (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Gives tests one by one to whichever process is free; some files as a whole."""
    return _Scheduling(config, log)


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if nodeid.startswith(_WHOLE_FILES) else nodeid


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what cannot run here, also when `-m` on the command line replaces our default.

    The slow ones come first: the last process to end shall not have begun a long one late.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
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


@pytest.fixture
def stoppable_mariadb(mariadb: PrivateMariadb) -> Iterator[PrivateMariadb]:
    """A second server, which a test may stop and start again."""
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
    request: pytest.FixtureRequest, new_database_location: DatabaseLocation
) -> DatabaseLocation:
    """A migrated, empty database that nobody has opened."""
    if new_database_location.path is not None:
        await copy_to_sqlite(new_database_location.path)
    else:
        await copy_to_mariadb(request.getfixturevalue("mariadb"), new_database_location)
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
