"""Tests of `app/database/connection.py`."""

import asyncio
import contextvars
import logging
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tortoise.connection import get_connection
from tortoise.exceptions import (
    BaseORMException,
    DBConnectionError,
    IntegrityError,
    OperationalError,
)
from tortoise.transactions import in_transaction

from app.accounts.models import User
from app.database.connection import is_unavailable, opened, until_available
from app.database.migration import migrate
from app.setting_types import DatabaseLocation
from tests.databases import MODEL_MODULES, PrivateMariadb
from tests.waiting import until


async def test_ids_are_compared_byte_by_byte(database: DatabaseLocation) -> None:
    await User.create(id="Ünal")
    await User.create(id="ünal")
    assert not await User.exists(id="unal")
    assert await User.filter(id__in=["Ünal", "UNAL"]).count() == 1


async def test_datetimes_in_utc_are_kept_to_the_microsecond(database: DatabaseLocation) -> None:
    moment = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=UTC)
    await User.create(id="a")
    await User.filter(id="a").update(created_at=moment)
    kept = (await User.get(id="a")).created_at
    assert kept == moment
    assert kept.utcoffset() == timedelta(0)
    assert await User.exists(created_at__lte=moment)
    assert not await User.exists(created_at__lt=moment)


async def test_foreign_keys_are_enforced(database: DatabaseLocation) -> None:
    with pytest.raises(IntegrityError) as caught:
        await get_connection("default").execute_query(
            "INSERT INTO generated_image (id, owner_id, file_name, media_type, size_bytes, sha256,"
            " width, height, infotext, parameters, created_at)"
            " VALUES ('i', 'nobody', '', '', 1, '', 1, 1, '', '{}', '2026-01-01 00:00:00')"
        )
    assert not is_unavailable(caught.value)


async def test_every_task_sees_the_connection(database: DatabaseLocation) -> None:
    async def create_user() -> None:
        await User.create(id="made elsewhere")

    await asyncio.create_task(create_user(), context=contextvars.Context())
    assert await User.exists(id="made elsewhere")


async def test_failing_block_closes_the_connection(
    database_location: DatabaseLocation,
) -> None:
    async def fail() -> None:
        async with opened(database_location, MODEL_MODULES):
            await User.create(id="a")
            async with in_transaction():
                await User.all().delete()
                raise ZeroDivisionError

    def connections() -> list[str]:
        names = (thread.name for thread in threading.enumerate())
        return [name for name in names if "_connection_worker_thread" in name]

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await fail()
        async with opened(database_location, MODEL_MODULES):
            assert len(connections()) == (database_location.dialect == "sqlite")
            assert await User.all().delete() == 1
    await until(lambda: connections() == [])


async def test_failing_statement_is_not_unavailability(database: DatabaseLocation) -> None:
    with pytest.raises(OperationalError) as caught:
        await get_connection("default").execute_query("SELECT * FROM no_such_table")
    assert not is_unavailable(caught.value)
    await User.create(id="a")
    with pytest.raises(IntegrityError) as caught_twin:
        await User.create(id="a")
    assert not is_unavailable(caught_twin.value)
    assert not is_unavailable(ValueError("no database involved"))


async def test_sqlite_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    location = DatabaseLocation("sqlite", path=tmp_path / "missing" / "navigator.sqlite3")
    with pytest.raises((BaseORMException, sqlite3.Error)) as caught:
        async with opened(location, MODEL_MODULES):
            pass
    assert is_unavailable(caught.value)


async def test_locked_sqlite_is_unavailable_until_it_is_free(tmp_path: Path) -> None:
    location = DatabaseLocation("sqlite", path=tmp_path / "navigator.sqlite3")
    await migrate(location, MODEL_MODULES, backups_dir=tmp_path)
    other = sqlite3.connect(tmp_path / "navigator.sqlite3", isolation_level=None)
    try:
        async with opened(location, MODEL_MODULES):
            await get_connection("default").execute_query("PRAGMA busy_timeout = 1")
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(OperationalError) as caught:
                await User.create(id="a")
            assert is_unavailable(caught.value)

            attempts = 0

            async def create_user() -> User:
                nonlocal attempts
                attempts += 1
                if attempts == 3:
                    other.execute("ROLLBACK")
                return await User.create(id="a")

            created = await until_available(create_user, retry_delay_s=0.001)
            assert (created.id, attempts) == ("a", 3)
    finally:
        other.close()


async def test_refused_password_is_not_unavailability(mariadb: PrivateMariadb) -> None:
    location = replace(mariadb.location("mysql"), user="nobody", password="wrong")
    with pytest.raises(DBConnectionError) as caught:
        async with opened(location, MODEL_MODULES):
            pass
    assert not is_unavailable(caught.value)
    assert "wrong" not in str(caught.value)


async def test_password_may_be_any_text(mariadb: PrivateMariadb) -> None:
    mariadb.sql("CREATE USER polyglot@'127.0.0.1' IDENTIFIED BY 'pässwört €'")
    mariadb.sql("GRANT ALL ON mysql.* TO polyglot@'127.0.0.1'")
    location = replace(mariadb.location("mysql"), user="polyglot", password="pässwört €")
    async with opened(location, MODEL_MODULES):
        (row,) = (await get_connection("default").execute_query("SELECT CURRENT_USER() AS me"))[1]
    assert row["me"] == "polyglot@127.0.0.1"


async def test_stopped_server_is_unavailable_and_its_return_is_noticed(
    stoppable_mariadb: PrivateMariadb, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    location = stoppable_mariadb.location()
    await migrate(location, MODEL_MODULES, backups_dir=tmp_path)
    async with opened(location, MODEL_MODULES):
        await asyncio.gather(*(User.create(id=f"before {number}") for number in range(8)))
        await asyncio.to_thread(stoppable_mariadb.stop)

        failures: list[BaseORMException] = []
        for _ in range(20):  # twice the size of the pool
            with pytest.raises(BaseORMException) as caught:
                await User.all().count()
            failures.append(caught.value)
            with pytest.raises(BaseORMException) as caught:
                async with in_transaction():
                    await User.create(id="during")
            failures.append(caught.value)
        assert [error for error in failures if not is_unavailable(error)] == []

        with caplog.at_level(logging.WARNING, logger="app.database.connection"):
            counting = asyncio.create_task(
                until_available(lambda: User.all().count(), retry_delay_s=0.01)
            )
            await until(lambda: caplog.records)
            await asyncio.to_thread(stoppable_mariadb.start)
            assert await counting == 8
        assert len(caplog.records) == 2  # away, and back

        await asyncio.gather(*(User.create(id=f"after {number}") for number in range(30)))
        async with in_transaction():
            assert await User.all().count() == 38


async def test_opening_while_the_server_is_away_is_unavailable(
    mariadb: PrivateMariadb, unused_port: int
) -> None:
    location = replace(mariadb.location(), port=unused_port)
    with pytest.raises(DBConnectionError) as caught:
        async with opened(location, MODEL_MODULES):
            pass
    assert is_unavailable(caught.value)


async def test_waiting_for_the_database_can_be_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise DBConnectionError("away")

    waiting = asyncio.create_task(until_available(fail, retry_delay_s=60))
    await until(lambda: caplog.records)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_other_errors_are_not_tried_again() -> None:
    attempts = 0

    async def fail() -> None:
        nonlocal attempts
        attempts += 1
        raise IntegrityError("twin")

    with pytest.raises(IntegrityError):
        await until_available(fail)
    assert attempts == 1
