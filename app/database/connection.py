"""The one connection of the process to its database, and what "the database is away" means.

Must not know any table: the modules of the models are handed in.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tortoise.context import TortoiseContext
from tortoise.exceptions import BaseORMException, DBConnectionError

from app.setting_types import DatabaseLocation

log = logging.getLogger(__name__)

T = TypeVar("T")

_SQLITE_AWAY = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PROTOCOL,
}
# Codes of the MySQL client (2000 and up) and of the server (MariaDB Knowledge Base, "MariaDB
# Error Codes"): cannot connect, unknown host, gone, lost; too many connections, shutting down,
# disk full, blocked host, broken network, connection killed; lock waited for too long, deadlock,
# statement interrupted, server or transaction read-only.
_MYSQL_AWAY = {
    2002, 2003, 2005, 2006, 2013, 2055,
    1021, 1040, 1053, 1077, 1079, 1129, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1927, 4031,
    1205, 1213, 1290, 1317, 1792, 1836,
}  # fmt: skip
_MYSQL_REFUSED = {1044, 1045, 1049, 1698}


def tortoise_config(location: DatabaseLocation, model_modules: Sequence[str]) -> dict[str, Any]:
    """Tortoise's configuration for `location`: one connection `default`, one app `models`."""
    if location.dialect == "sqlite":
        engine = "app.database.sqlite_engine"
        credentials: dict[str, Any] = {
            "file_path": str(location.path),
            # First, because the others may have to wait for another process.
            "busy_timeout": 10_000,
            "journal_mode": "WAL",
            # Keeps the database whole through a power cut. What must not be lost is synced by
            # `durability.py`: FULL would sync every change, one after another.
            "synchronous": "NORMAL",
            "foreign_keys": "ON",
        }
    else:
        engine = "app.database.mysql_engine"
        credentials = {
            "host": location.host,
            "port": location.port,
            "user": location.user,
            # As bytes: the driver would encode text as Latin-1.
            "password": location.password.encode(),
            "database": location.name,
            "charset": "utf8mb4",
            # Tortoise sets the time zone of the first connection of the pool only.
            "init_command": "SET time_zone = '+00:00'",
            "connect_timeout": 5,
            "minsize": 1,
            "maxsize": 10,
        }
    return {
        "connections": {"default": {"engine": engine, "credentials": credentials}},
        "apps": {"models": {"models": list(model_modules), "default_connection": "default"}},
        "use_tz": True,
        "timezone": "UTC",
    }


@asynccontextmanager
async def opened(location: DatabaseLocation, model_modules: Sequence[str]) -> AsyncIterator[None]:
    """Connects the models to the database for as long as the block runs, in every task.

    Raises what `is_unavailable` recognises when the database cannot be reached.
    """
    context = TortoiseContext()
    try:
        # The current context only while it is built: requests run in tasks that were not
        # started from here and would not see it. The fallback is seen by all.
        with context:
            await context.init(
                config=tortoise_config(location, model_modules), _enable_global_fallback=True
            )
        await context.db().execute_query("SELECT 1")
        yield
    finally:
        # A connection that stays open keeps its thread, and with it the process, for ever.
        await context.close_connections()


def is_unavailable(error: BaseException) -> bool:
    """Whether `error` says that the database is away, so that trying again later may help.

    Refused statements, broken constraints and refused passwords are not that.
    """
    cause = _cause_of(error)
    if isinstance(cause, sqlite3.Error):
        return (getattr(cause, "sqlite_errorcode", 0) & 0xFF) in _SQLITE_AWAY
    if type(cause).__module__ == "asyncmy.errors":
        code = cause.args[0] if cause.args else 0
        # InterfaceError comes from the driver itself: the connection is closed.
        return code in _MYSQL_AWAY or type(cause).__name__ == "InterfaceError"
    return isinstance(cause, DBConnectionError)


async def until_available(
    operation: Callable[[], Awaitable[T]], *, retry_delay_s: float = 1.0
) -> T:
    """What `operation` gives, tried again for as long as the database is away."""
    away = False
    while True:
        try:
            result = await operation()
        except (BaseORMException, sqlite3.Error) as error:
            if not is_unavailable(error):
                raise
            if not away:
                log.warning("the database is away, trying until it is back: %s", error)
            away = True
            await asyncio.sleep(retry_delay_s)
        else:
            if away:
                log.warning("the database is back")
            return result


def _cause_of(error: BaseException) -> BaseException:
    """The driver's error inside of Tortoise's, or the error itself."""
    if isinstance(error, DBConnectionError):
        context = error.__cause__ or error.__context__
        refused = context is not None and context.args and context.args[0] in _MYSQL_REFUSED
        return context if refused and context is not None else error
    if isinstance(error, BaseORMException) and error.args:
        inner = error.args[0]
        if isinstance(inner, BaseException):
            return inner
    return error
