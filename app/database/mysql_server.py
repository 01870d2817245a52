"""A plain connection to the MySQL server, for what is done before the models are connected."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncmy
from asyncmy import errors
from tortoise.exceptions import DBConnectionError, OperationalError

from app.errors import SettingsInvalid
from app.setting_types import DatabaseLocation

_UNKNOWN_DATABASE = 1049
_DATABASE_REFUSED = 1044
_USER_REFUSED = {1045, 1698}


class DatabaseMissing(Exception):
    """The server is there, the database is not."""


@asynccontextmanager
async def connected(
    location: DatabaseLocation, *, to_database: bool = True
) -> AsyncIterator[asyncmy.Connection]:
    """One connection of its own, to the database or to no database of the server.

    Raises `DBConnectionError` when the server is away, `SettingsInvalid` when it refuses the user
    or their use of the database, `DatabaseMissing`; driver errors of the block as Tortoise's.
    """
    try:
        connection = await asyncmy.connect(
            host=location.host,
            port=location.port,
            user=location.user,
            password=location.password.encode(),
            database=location.name if to_database else None,
            charset="utf8mb4",
            init_command="SET time_zone = '+00:00'",
            autocommit=True,
            connect_timeout=5,
        )
    except errors.MySQLError as error:
        code = error.args[0] if error.args else 0
        if code == _UNKNOWN_DATABASE:
            raise DatabaseMissing from error
        if code in _USER_REFUSED:
            raise SettingsInvalid(
                f"DB_USER, DB_PASSWORD: the server refuses them for {location}."
            ) from error
        if code == _DATABASE_REFUSED:
            raise SettingsInvalid(
                f"DB_NAME: the user {location.user} may not use the database of {location}."
            ) from error
        raise DBConnectionError(f"cannot connect to {location}: {error}") from error
    try:
        yield connection
    except errors.Error as error:
        raise OperationalError(error) from error
    finally:
        await connection.ensure_closed()


async def ensure_database(location: DatabaseLocation) -> None:
    """Creates the database if it does not exist.

    Raises `SettingsInvalid` when the user may not, and what `connected` raises.
    """
    try:
        # Most users may not create databases, and need not.
        async with connected(location):
            return
    except DatabaseMissing:
        pass
    async with connected(location, to_database=False) as connection, connection.cursor() as cursor:
        try:
            await cursor.execute(
                f"CREATE DATABASE IF NOT EXISTS {quoted(location.name)}"
                " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
            )
        except errors.OperationalError as error:
            if error.args[0] != _DATABASE_REFUSED:
                raise
            raise SettingsInvalid(
                f"DB_NAME: there is no database {location.name} at {location.host}, and the user"
                f" {location.user} may not create it."
            ) from error


def quoted(name: str) -> str:
    """`name` as an identifier in SQL."""
    return "`" + name.replace("`", "``") + "`"
