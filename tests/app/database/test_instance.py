"""Tests of `app/database/instance.py`: one server at a time, also after trouble."""

import asyncio
import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.database.instance import only_server
from app.database.lock import migration_lock
from app.errors import NavigatorError, SettingsInvalid
from app.setting_types import DatabaseLocation
from tests.databases import PrivateMariadb, url_of
from tests.waiting import until

HOLD_FOR_EVER = """
import asyncio, sys
from app.database.instance import only_server
from app.setting_types import DatabaseLocation

async def main():
    async with only_server(DatabaseLocation.of_url(sys.argv[1])):
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def is_free(location: DatabaseLocation) -> bool:
    """Whether no server works with the database."""
    try:
        async with only_server(location, patience_s=0):
            return True
    except NavigatorError:
        return False


async def test_second_server_is_refused_by_the_name_of_the_database(
    new_database_location: DatabaseLocation,
) -> None:
    async with only_server(new_database_location):
        with pytest.raises(NavigatorError, match="Another Navigator works") as refused:
            async with only_server(new_database_location, patience_s=0.2):
                pass
        assert f"the database {new_database_location};" in refused.value.message
    await until(lambda: is_free(new_database_location))  # the server has to notice that we went


async def test_server_that_ends_soon_is_waited_for(
    new_database_location: DatabaseLocation,
) -> None:
    ending = asyncio.Event()

    async def serve() -> None:
        async with only_server(new_database_location):
            await ending.wait()

    first = asyncio.create_task(serve())
    await until(lambda: is_not_free(new_database_location))
    second = asyncio.create_task(serve())
    ending.set()
    await asyncio.gather(first, second)


async def is_not_free(location: DatabaseLocation) -> bool:
    """Whether a server works with the database."""
    return not await is_free(location)


async def test_other_databases_and_migrations_are_not_concerned(
    new_database_location: DatabaseLocation, elsewhere: DatabaseLocation
) -> None:
    async with (
        only_server(new_database_location, patience_s=0),
        only_server(elsewhere, patience_s=0),
        migration_lock(new_database_location, timeout_s=0),
    ):
        assert not await is_free(new_database_location)


async def test_killed_server_frees_the_database_at_once(
    new_database_location: DatabaseLocation,
) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD_FOR_EVER, url_of(new_database_location)),
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        assert await child.stdout.readline() == b"held\n"
        assert not await is_free(new_database_location)
    finally:
        child.kill()
        await child.communicate()
    began_s = time.monotonic()
    async with only_server(new_database_location):
        assert time.monotonic() - began_s < 2


async def test_file_with_two_names_is_one_database(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    async with only_server(DatabaseLocation("sqlite", path=tmp_path / "a.sqlite3")):
        assert not await is_free(DatabaseLocation("sqlite", path=tmp_path / "link" / "a.sqlite3"))


async def test_folder_is_made_or_refused(tmp_path: Path) -> None:
    async with only_server(DatabaseLocation("sqlite", path=tmp_path / "new" / "a.sqlite3")):
        assert (tmp_path / "new").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsInvalid, match="DB_URL"):
        async with only_server(DatabaseLocation("sqlite", path=tmp_path / "file" / "a.sqlite3")):
            pass


async def test_lock_is_taken_again_after_the_database_was_away(
    stoppable_mariadb: PrivateMariadb, caplog: pytest.LogCaptureFixture
) -> None:
    location = stoppable_mariadb.location()
    async with only_server(location, ping_interval_s=0.05):
        await asyncio.to_thread(stoppable_mariadb.stop)
        await until(lambda: "lost the lock" in caplog.text)
        await asyncio.to_thread(stoppable_mariadb.start)
        await until(lambda: "again" in caplog.text)
        assert not await is_free(location)
        assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    # The server frees it when it has noticed that the connection is closed.
    await until(lambda: is_free(location))


async def test_lock_that_somebody_else_took_is_waited_for(
    mariadb: PrivateMariadb, caplog: pytest.LogCaptureFixture
) -> None:
    location = mariadb.location()
    async with only_server(location, ping_interval_s=0.3):
        async with asyncio.timeout(10):
            # Only between two pings it is free for somebody else.
            kill_everybody(mariadb)
            async with only_server(location, patience_s=5):
                await until(lambda: "another Navigator works with it" in caplog.text)
        await until(lambda: "again" in caplog.text)
        assert not await is_free(location)


def kill_everybody(server: PrivateMariadb) -> None:
    """Closes every other connection of the server."""
    ids = server.sql("SELECT id FROM information_schema.processlist WHERE command = 'Sleep'")
    server.sql("".join(f"KILL {one};" for one in ids.split()))


async def test_quiet_connection_is_kept_alive(
    mariadb: PrivateMariadb, caplog: pytest.LogCaptureFixture
) -> None:
    location = mariadb.location()
    began_s = time.monotonic()
    # The server would close it after one second.
    async with only_server(location, ping_interval_s=0.2):
        await until(lambda: time.monotonic() - began_s > 2)
        assert not await is_free(location)
    assert caplog.records == []
