"""Tests of `app/database/sqlite_engine.py`."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import closing
from pathlib import Path

import pytest
from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.transactions import in_transaction

from app.accounts.models import User
from app.database.connection import opened
from app.database.migration import migrate
from app.database.sqlite_engine import statements
from app.setting_types import DatabaseLocation
from tests.databases import MODEL_MODULES, python, url_of
from tests.waiting import until

INSERT_USER = (
    "INSERT INTO account (id, name, role, approval, token_epoch, created_at, updated_at)"
    " VALUES (?, '', 1, 'approved', 0, '2026-01-01', '2026-01-01')"
)
INCREMENT_FIFTY_TIMES = """
import asyncio, sys
from tortoise.transactions import in_transaction
from app.accounts.models import User
from app.database.connection import opened
from app.setting_types import DatabaseLocation
from tests.databases import MODEL_MODULES

async def main():
    async with opened(DatabaseLocation.of_url(sys.argv[1]), MODEL_MODULES):
        for _ in range(50):
            async with in_transaction():
                user = await User.get(id="counter")
                await User.filter(id="counter").update(token_epoch=user.token_epoch + 1)

asyncio.run(main())
"""


@pytest.fixture
async def sqlite_location(tmp_path: Path) -> AsyncIterator[DatabaseLocation]:
    """A migrated SQLite database that the models are connected to."""
    location = DatabaseLocation("sqlite", path=tmp_path / "navigator.sqlite3")
    await migrate(location, MODEL_MODULES, backups_dir=tmp_path)
    async with opened(location, MODEL_MODULES):
        yield location


async def create_user_and_fail(user_id: str) -> None:
    """Rolls back what it did."""
    async with in_transaction():
        await User.create(id=user_id)
        raise ZeroDivisionError


def another_connection(location: DatabaseLocation) -> sqlite3.Connection:
    """What another process would have open."""
    return sqlite3.connect(str(location.path), timeout=0, isolation_level=None)


async def test_pragmas_are_set(sqlite_location: DatabaseLocation) -> None:
    found = {}
    for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout"):
        (row,) = (await get_connection("default").execute_query(f"PRAGMA {name}"))[1]
        (found[name],) = row
    assert found == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "synchronous": 1,
        "busy_timeout": 10_000,
    }


async def test_transaction_keeps_other_processes_from_writing(
    sqlite_location: DatabaseLocation,
) -> None:
    with closing(another_connection(sqlite_location)) as other:
        async with in_transaction():
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")


async def test_processes_that_write_one_file_wait_for_each_other(
    sqlite_location: DatabaseLocation,
) -> None:
    await User.create(id="counter")
    url = url_of(sqlite_location)
    await asyncio.gather(*(python(INCREMENT_FIFTY_TIMES, url) for _ in range(4)))
    assert (await User.get(id="counter")).token_epoch == 200


async def test_failed_begin_gives_the_connection_back(
    sqlite_location: DatabaseLocation,
) -> None:
    async def begin() -> None:
        async with in_transaction():
            pass

    await get_connection("default").execute_query("PRAGMA busy_timeout = 1")
    with closing(another_connection(sqlite_location)) as other:
        other.execute("BEGIN IMMEDIATE")
        # In a task of its own, as requests are.
        with pytest.raises(OperationalError, match="locked"):
            await asyncio.create_task(begin())
    async with asyncio.timeout(5), in_transaction():
        await User.create(id="a")


async def create_in_transaction() -> None:
    """Waits for the lock, then creates a user."""
    async with in_transaction():
        await User.create(id="never")


async def create_many() -> None:
    """Waits for the lock, then creates users together."""
    await User.bulk_create([User(id="never"), User(id="never either")])


async def execute_many() -> None:
    """Waits for the lock, then creates users by one statement."""
    await get_connection("default").execute_many(INSERT_USER, [["never"], ["never either"]])


@pytest.mark.parametrize("begin", [create_in_transaction, create_many, execute_many])
async def test_cancelled_begin_leaves_no_transaction(
    sqlite_location: DatabaseLocation, begin: Callable[[], Coroutine[None, None, None]]
) -> None:
    with closing(another_connection(sqlite_location)) as other:
        other.execute("BEGIN IMMEDIATE")
        beginning = asyncio.create_task(begin())
        await until(get_connection("default")._lock.locked)  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        beginning.cancel()
        # The thread of the connection still waits for the lock, and gets it now.
        other.execute("ROLLBACK")
        with pytest.raises(asyncio.CancelledError):
            await beginning
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    async with asyncio.timeout(5), in_transaction():
        assert not await User.exists(id="never")


async def test_cancelled_transaction_is_rolled_back(sqlite_location: DatabaseLocation) -> None:
    created = asyncio.Event()

    async def create_and_wait() -> None:
        async with in_transaction():
            await User.create(id="never")
            created.set()
            await asyncio.Event().wait()

    creating = asyncio.create_task(create_and_wait())
    await created.wait()
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert not await User.exists(id="never")
    with closing(another_connection(sqlite_location)) as other:
        other.execute("BEGIN IMMEDIATE")


async def test_rows_created_together_are_all_or_none(sqlite_location: DatabaseLocation) -> None:
    with pytest.raises(IntegrityError):
        await get_connection("default").execute_many(INSERT_USER, [["a"], ["b"], ["a"]])
    assert await User.all().count() == 0


async def test_inner_transaction_is_undone_alone(sqlite_location: DatabaseLocation) -> None:
    async with in_transaction():
        await User.create(id="outer")
        with pytest.raises(ZeroDivisionError):
            await create_user_and_fail("inner")
    assert [user.id for user in await User.all()] == ["outer"]


async def test_failed_script_leaves_nothing(sqlite_location: DatabaseLocation) -> None:
    with pytest.raises(OperationalError):
        async with in_transaction() as transaction:
            await transaction.execute_script("CREATE TABLE a (b); CREATE TABLE a (b);")
    with closing(another_connection(sqlite_location)) as other:
        assert other.execute("SELECT 1 FROM sqlite_master WHERE name = 'a'").fetchall() == []


def test_script_is_split_where_sqlite_sees_an_end() -> None:
    script = """
        INSERT INTO a VALUES ('one; two');  -- a comment; with a semicolon
        CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END;
        SELECT 1;
    """
    first, second, third = statements(script)
    assert first == "INSERT INTO a VALUES ('one; two');"
    assert second.endswith("BEGIN DELETE FROM b; DELETE FROM c; END;")
    assert third == "SELECT 1;"


def test_script_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="SELECT 'a"):
        list(statements("SELECT 1; SELECT 'a;"))
