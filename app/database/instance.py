"""The lock that lets one server at a time work with a database, wherever its data folder is.

A second one would take the jobs that the first one runs for left behind. The system or the
database gives the lock back when its holder dies.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import IO

from tortoise.exceptions import BaseORMException

from app.database.lock import lock_name, try_lock
from app.errors import NavigatorError, SettingsInvalid
from app.setting_types import DatabaseLocation
from app.tasks import running

log = logging.getLogger(__name__)

_PATIENCE_S = 5.0  # a server that was killed or restarted may need a moment to be gone
_PING_INTERVAL_S = 30.0
_RETRY_INTERVAL_S = 1.0
_POLL_INTERVAL_S = 0.05


@contextlib.asynccontextmanager
async def only_server(
    location: DatabaseLocation,
    *,
    patience_s: float = _PATIENCE_S,
    ping_interval_s: float = _PING_INTERVAL_S,
) -> AsyncIterator[None]:
    """Keeps other servers away from the database while the block runs.

    A MySQL server that goes away takes the lock with it: then it is taken again, and until then
    the block goes on without. Raises `NavigatorError` when another server has held it for
    `patience_s` seconds, `SettingsInvalid` when it cannot be had with these settings, and what
    `is_unavailable` recognises when the database is away.
    """
    async with (
        _held_on_server(location, patience_s, ping_interval_s)
        if location.path is None
        else _held_file(location, location.path, patience_s)
    ):
        yield


@contextlib.asynccontextmanager
async def _held_file(
    location: DatabaseLocation, database: Path, patience_s: float
) -> AsyncIterator[None]:
    def opened() -> IO[bytes]:
        # One database may be named in several ways.
        path = database.resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        # Never removed: whoever removes a lock file lets two in.
        return path.with_name(f"{path.name}.serving").open("a+b")

    try:
        file = await asyncio.to_thread(opened)
    except OSError as error:
        raise SettingsInvalid(
            f"DB_URL: the folder {database.parent} cannot be used ({error.strerror})."
        ) from error

    async def attempt() -> bool:
        return try_lock(file)

    with contextlib.closing(file):
        await _take(attempt, location, patience_s)
        yield


@contextlib.asynccontextmanager
async def _held_on_server(
    location: DatabaseLocation, patience_s: float, ping_interval_s: float
) -> AsyncIterator[None]:
    # Imported here: with SQLite the driver would cost its memory for nothing.
    from app.database.mysql_lock import MysqlLock  # noqa: PLC0415

    lock = MysqlLock(location, lock_name(location, "server"), forgotten_after_s=3 * ping_interval_s)
    try:
        await _take(lock.hold, location, patience_s)
        async with running(_keep(lock.hold, location, ping_interval_s)):
            yield
    finally:
        await lock.drop()


async def _take(
    attempt: Callable[[], Awaitable[bool]], location: DatabaseLocation, patience_s: float
) -> None:
    deadline_s = time.monotonic() + patience_s
    while not await attempt():
        if time.monotonic() >= deadline_s:
            raise NavigatorError(
                f"Another Navigator works with the database {location}; stop it, or name another"
                " database in DB_NAME or DB_URL."
            )
        await asyncio.sleep(_POLL_INTERVAL_S)


async def _keep(
    attempt: Callable[[], Awaitable[bool]], location: DatabaseLocation, ping_interval_s: float
) -> None:
    held, noted = True, "held"
    while True:
        await asyncio.sleep(ping_interval_s if held else _RETRY_INTERVAL_S)
        reason: object = "another Navigator works with it"
        try:
            held = await attempt()
            state = "held" if held else "taken"
        except (BaseORMException, NavigatorError) as error:
            held, state, reason = False, "away", error
        if state != noted and held:
            log.warning("holding the lock of the database %s again", location)
        elif state != noted:
            log.warning("lost the lock of the database %s, trying to get it: %s", location, reason)
        noted = state
