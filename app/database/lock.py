"""The lock that lets one process at a time migrate a database.

The system gives it back when its holder dies. Knows nothing of what is done under it.
"""

import asyncio
import hashlib
import logging
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import IO

from app.errors import NavigatorError
from app.setting_types import DatabaseLocation

if sys.platform == "win32":
    import msvcrt

    def try_lock(file: IO[bytes]) -> bool:
        """Locks `file` until it is closed; False when somebody else has."""
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def try_lock(file: IO[bytes]) -> bool:
        """Locks `file` until it is closed; False when somebody else has."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


log = logging.getLogger(__name__)


@asynccontextmanager
async def migration_lock(location: DatabaseLocation, *, timeout_s: float) -> AsyncIterator[None]:
    """Holds the lock while the block runs.

    Raises `NavigatorError` when another process has held it for `timeout_s` seconds.
    """
    # A file of its own, never removed: closing any handle of the database file would drop
    # SQLite's own locks on it, and whoever removes a lock file lets two in.
    async with (
        _mysql_lock(location, timeout_s)
        if location.path is None
        else _file_lock(location.path.with_name(f"{location.path.name}.migrating"), timeout_s)
    ):
        yield


def lock_name(location: DatabaseLocation, purpose: str) -> str:
    """The name of a lock on the MySQL server of `location`, for its database only."""
    # Names are shared by the whole server and at most 64 characters long.
    return f"navigator-{purpose}-{hashlib.sha256(location.name.encode()).hexdigest()[:32]}"


@asynccontextmanager
async def _file_lock(path: Path, timeout_s: float) -> AsyncIterator[None]:
    async def attempt() -> bool:
        return try_lock(file)

    with closing(await asyncio.to_thread(path.open, "a+b")) as file:
        await _wait(attempt, timeout_s)
        yield


@asynccontextmanager
async def _mysql_lock(location: DatabaseLocation, timeout_s: float) -> AsyncIterator[None]:
    # Imported here: with SQLite the driver would cost its memory for nothing.
    from app.database.mysql_server import connected  # noqa: PLC0415

    name = lock_name(location, "migration")
    # The lock belongs to the connection, so it gets one of its own.
    async with connected(location, to_database=False) as connection, connection.cursor() as cursor:

        async def attempt() -> bool:
            await cursor.execute("SELECT GET_LOCK(%s, 0)", (name,))
            return bool(await cursor.fetchone() == (1,))

        await _wait(attempt, timeout_s)
        yield


async def _wait(attempt: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    waiting = False
    while not await attempt():
        if time.monotonic() > deadline:
            raise NavigatorError(
                f"Another process has been migrating the database for {timeout_s:.0f} seconds."
            )
        if not waiting:
            log.info("another process is migrating the database, waiting for it")
        waiting = True
        await asyncio.sleep(0.05)
