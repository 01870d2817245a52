"""Tests of `app/database/mysql_lock.py`."""

from dataclasses import replace

import pytest
from tortoise.exceptions import DBConnectionError, OperationalError

from app.database.connection import is_unavailable
from app.database.mysql_lock import MysqlLock
from app.errors import SettingsInvalid
from tests.databases import PrivateMariadb
from tests.waiting import until


def lock(server: PrivateMariadb, name: str = "navigator-test") -> MysqlLock:
    """A lock that the server keeps for a minute for somebody who is silent."""
    return MysqlLock(server.location("mysql"), name, forgotten_after_s=60)


async def test_one_holds_it_until_it_is_dropped(mariadb: PrivateMariadb) -> None:
    first, second = lock(mariadb), lock(mariadb)
    assert await first.hold()
    assert await first.hold()
    assert not await second.hold()
    await first.drop()
    await until(second.hold)
    assert not await first.hold()
    await first.drop()
    await second.drop()
    await second.drop()


async def test_broken_connection_is_told_and_made_again(mariadb: PrivateMariadb) -> None:
    ours = lock(mariadb)
    assert await ours.hold()
    holder = mariadb.sql("SELECT IS_USED_LOCK('navigator-test')").strip()
    mariadb.sql(f"KILL {holder}")
    with pytest.raises(OperationalError) as caught:
        await ours.hold()
    assert is_unavailable(caught.value)
    assert await ours.hold()
    await ours.drop()


async def test_silent_holder_is_forgotten_by_the_server(mariadb: PrivateMariadb) -> None:
    silent = MysqlLock(mariadb.location("mysql"), "navigator-silent", forgotten_after_s=1)
    assert await silent.hold()
    other = lock(mariadb, "navigator-silent")
    await until(other.hold, timeout_s=10)
    await silent.drop()
    await other.drop()


async def test_server_that_is_away_or_refuses_is_told(
    mariadb: PrivateMariadb, unused_port: int
) -> None:
    away = MysqlLock(
        replace(mariadb.location("mysql"), port=unused_port), "navigator-test", forgotten_after_s=60
    )
    with pytest.raises(DBConnectionError) as caught:
        await away.hold()
    assert is_unavailable(caught.value)
    refused = MysqlLock(
        replace(mariadb.location("mysql"), user="nobody"), "navigator-test", forgotten_after_s=60
    )
    with pytest.raises(SettingsInvalid, match="DB_USER"):
        await refused.hold()
