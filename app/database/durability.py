"""Makes what is committed survive a power cut, where the database itself leaves that open.

SQLite in WAL mode with `synchronous=NORMAL` keeps the database whole through a power cut, but may
lose the last commits: it does not sync the log at each of them. Having it do so (`FULL`) costs a
sync for every change while all others wait. So whoever needs it asks for it here, and those who
ask at the same time share one sync, beside the other queries. MySQL and MariaDB sync every commit.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from app.setting_types import DatabaseLocation

Sync = Callable[[], Awaitable[None]]


class LogSync:
    """Syncs the write-ahead log of one SQLite database. Call it after the commit."""

    def __init__(self, database: Path):
        self._log = database.with_name(database.name + "-wal")
        self._asked = 0
        self._synced = 0
        self._turn = asyncio.Lock()

    async def __call__(self) -> None:
        """Returns when everything that was committed before the call is on the disk."""
        self._asked += 1
        mine = self._asked
        async with self._turn:
            if self._synced >= mine:
                return
            asked = self._asked
            await asyncio.to_thread(self._sync)
            self._synced = asked

    def _sync(self) -> None:
        try:
            with self._log.open("r+b") as log:
                os.fsync(log.fileno())
        except FileNotFoundError:  # all of it is in the database file already, and synced
            pass


def sync_of(location: DatabaseLocation) -> Sync:
    """How to make the commits of this database survive a power cut."""
    return _nothing if location.path is None else LogSync(location.path)


async def _nothing() -> None:
    """The database does it by itself."""
