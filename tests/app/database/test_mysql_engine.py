"""Tests of `app/database/mysql_engine.py`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tortoise.connection import get_connection
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from app.accounts.models import User
from app.database.connection import is_unavailable, opened
from app.database.migration import migrate
from app.setting_types import DatabaseLocation
from tests.databases import MODEL_MODULES, PrivateMariadb
from tests.waiting import until

OTHER_CONNECTIONS = "SELECT id FROM information_schema.processlist WHERE db = '{}'"


@pytest.fixture
async def mysql_location(
    mariadb: PrivateMariadb, tmp_path: Path
) -> AsyncIterator[DatabaseLocation]:
    """A migrated database on MariaDB that the models are connected to."""
    location = mariadb.location()
    await migrate(location, MODEL_MODULES, backups_dir=tmp_path)
    async with opened(location, MODEL_MODULES):
        yield location
    mariadb.sql(f"DROP DATABASE {location.name}")


async def create_user_and_fail(user_id: str) -> None:
    """Rolls back what it did."""
    async with in_transaction():
        await User.create(id=user_id)
        raise ZeroDivisionError


def kill_connections(mariadb: PrivateMariadb, location: DatabaseLocation) -> int:
    """Cuts our connections before our loop can see it; gives their number."""
    ids = mariadb.sql(OTHER_CONNECTIONS.format(location.name)).split()
    mariadb.sql("".join(f"KILL {connection_id};" for connection_id in ids))
    return len(ids)


async def test_every_connection_uses_utc_and_strict_mode(
    mysql_location: DatabaseLocation,
) -> None:
    query = "SELECT CONNECTION_ID() AS id, @@time_zone AS zone, @@sql_mode AS mode, SLEEP(0.1)"
    client = get_connection("default")
    results = await asyncio.gather(*(client.execute_query(query) for _ in range(5)))
    answers = [rows[0] for _, rows in results]
    assert len({answer["id"] for answer in answers}) == 5
    assert {answer["zone"] for answer in answers} == {"+00:00"}
    assert all("STRICT_TRANS_TABLES" in answer["mode"] for answer in answers)


async def test_failed_begin_gives_the_connection_back(
    mariadb: PrivateMariadb, mysql_location: DatabaseLocation
) -> None:
    async def begin() -> None:
        async with in_transaction():
            pass

    for _ in range(12):  # more than the pool has
        async with asyncio.timeout(5):
            await User.all().count()
            assert kill_connections(mariadb, mysql_location) >= 1
            with pytest.raises(OperationalError) as caught:
                await begin()
            assert is_unavailable(caught.value)


async def test_connection_lost_in_a_transaction_is_unavailability(
    mariadb: PrivateMariadb, mysql_location: DatabaseLocation
) -> None:
    async def lose_connection(*, and_go_on: bool) -> None:
        async with in_transaction():
            await User.create(id="never")
            kill_connections(mariadb, mysql_location)
            if and_go_on:
                await User.create(id="never either")

    for and_go_on in (False, True) * 6:  # more often than the pool has connections
        async with asyncio.timeout(5):
            with pytest.raises(OperationalError) as caught:
                await lose_connection(and_go_on=and_go_on)
            assert is_unavailable(caught.value)
    assert await User.all().count() == 0


async def test_every_error_of_a_lost_connection_is_unavailability(
    mariadb: PrivateMariadb, mysql_location: DatabaseLocation
) -> None:
    async def ignore_the_first_error() -> None:
        async with in_transaction():
            kill_connections(mariadb, mysql_location)
            with contextlib.suppress(OperationalError):
                await User.create(id="never")
            await User.create(id="never either")

    async def lose_connection_before_the_inner_end() -> None:
        async with in_transaction(), in_transaction():
            kill_connections(mariadb, mysql_location)

    for lose_connection in (ignore_the_first_error, lose_connection_before_the_inner_end):
        with pytest.raises(OperationalError) as caught:
            await lose_connection()
        assert is_unavailable(caught.value)


async def test_cancelled_transaction_ends_as_cancelled(
    mariadb: PrivateMariadb, mysql_location: DatabaseLocation
) -> None:
    async def create_and_sleep(*, nested: bool) -> None:
        async with in_transaction():
            await User.create(id="never")
            if nested:
                async with in_transaction():
                    await get_connection("default").execute_query("SELECT SLEEP(60)")
            await get_connection("default").execute_query("SELECT SLEEP(60)")

    sleeping = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(60)'"
    for nested in (False, True) * 6:  # more often than the pool has connections
        creating = asyncio.create_task(create_and_sleep(nested=nested))
        count = f"{sleeping} AND db = '{mysql_location.name}'"
        await until(lambda count=count: mariadb.sql(count) == "1\n")  # type: ignore[misc]
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
        kill_connections(mariadb, mysql_location)
    async with asyncio.timeout(5), in_transaction():
        assert await User.all().count() == 0


async def test_inner_transaction_is_undone_alone(mysql_location: DatabaseLocation) -> None:
    async with in_transaction():
        await User.create(id="outer")
        with pytest.raises(ZeroDivisionError):
            await create_user_and_fail("inner")
        async with in_transaction():
            await User.create(id="another")
    assert sorted(user.id for user in await User.all()) == ["another", "outer"]
