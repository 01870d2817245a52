"""Tests of `app/database/mysql_server.py`."""

import asyncio
from dataclasses import replace

import pytest
from tortoise.exceptions import DBConnectionError, OperationalError

from app.database.connection import is_unavailable
from app.database.mysql_server import DatabaseMissing, connected, ensure_database, quoted
from app.errors import SettingsInvalid
from tests.databases import PrivateMariadb


async def test_database_is_created_once_with_bytewise_texts(mariadb: PrivateMariadb) -> None:
    location = mariadb.location("odd `name` ü")
    for _ in range(2):
        await ensure_database(location)
    found = mariadb.sql(
        "SELECT default_character_set_name, default_collation_name"
        " FROM information_schema.schemata WHERE schema_name = 'odd `name` ü'"
    )
    assert found == "utf8mb4\tutf8mb4_bin\n"
    async with connected(location) as connection, connection.cursor() as cursor:
        await cursor.execute("SELECT DATABASE(), @@time_zone")
        assert await cursor.fetchone() == ("odd `name` ü", "+00:00")


async def test_existing_database_needs_no_right_to_create(mariadb: PrivateMariadb) -> None:
    mariadb.sql("CREATE DATABASE granted")
    mariadb.sql("CREATE USER guest@'127.0.0.1' IDENTIFIED BY 'guest'")
    mariadb.sql("GRANT SELECT ON granted.* TO guest@'127.0.0.1'")
    location = replace(mariadb.location("granted"), user="guest", password="guest")
    await ensure_database(location)
    with pytest.raises(SettingsInvalid, match="DB_NAME"):
        await ensure_database(replace(location, name="denied"))


async def test_missing_database_may_not_be_created(mariadb: PrivateMariadb) -> None:
    mariadb.sql("CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'reader'")
    mariadb.sql("GRANT SELECT ON *.* TO reader@'127.0.0.1'")
    location = replace(mariadb.location("absent"), user="reader", password="reader")
    with pytest.raises(DatabaseMissing):
        async with connected(location):
            pass
    with pytest.raises(SettingsInvalid, match=r"no database absent .* reader may not create it"):
        await ensure_database(location)


async def test_wrong_password_is_an_invalid_setting(mariadb: PrivateMariadb) -> None:
    location = replace(mariadb.location(), user="nobody", password="secret")
    with pytest.raises(SettingsInvalid, match="DB_PASSWORD") as caught:
        await ensure_database(location)
    assert "secret" not in caught.value.message


async def test_absent_server_is_unavailable(mariadb: PrivateMariadb, unused_port: int) -> None:
    with pytest.raises(DBConnectionError) as caught:
        await ensure_database(replace(mariadb.location(), port=unused_port))
    assert is_unavailable(caught.value)


async def test_connection_lost_in_the_block_is_unavailability(mariadb: PrivateMariadb) -> None:
    async def lose_connection() -> None:
        async with connected(mariadb.location("mysql")) as connection:
            mariadb.sql(f"KILL {connection.thread_id()}")
            async with connection.cursor() as cursor:
                await cursor.execute("SELECT 1")

    with pytest.raises(OperationalError) as caught:
        await lose_connection()
    assert is_unavailable(caught.value)


async def test_cancelled_block_is_cancelled(mariadb: PrivateMariadb) -> None:
    async with asyncio.timeout(10):
        with pytest.raises(TimeoutError):
            await sleep_on(mariadb, timeout_s=0.1)


async def sleep_on(mariadb: PrivateMariadb, *, timeout_s: float) -> None:
    """Waits for an answer that does not come, for `timeout_s` seconds."""
    async with (
        asyncio.timeout(timeout_s),
        connected(mariadb.location("mysql")) as connection,
        connection.cursor() as cursor,
    ):
        await cursor.execute("SELECT SLEEP(60)")


def test_names_are_quoted() -> None:
    assert quoted("a`; DROP") == "`a``; DROP`"
