"""A lock of a MySQL server, with the connection that it belongs to. Knows not what it is for."""

import asyncio
import contextlib
from typing import Any

from asyncmy import errors
from tortoise.exceptions import BaseORMException, DBConnectionError, OperationalError

from app.database.mysql_server import connected
from app.setting_types import DatabaseLocation

_ANSWER_LIMIT_S = 10.0


class MysqlLock:
    """The lock `name`. The server frees it with the connection, whoever closes that.

    `forgotten_after_s` is for how long it stays with a holder who is not heard of.
    """

    def __init__(self, location: DatabaseLocation, name: str, *, forgotten_after_s: float):
        self._location = location
        self._name = name
        self._forgotten_after_s = forgotten_after_s
        self._connection = contextlib.AsyncExitStack()
        self._cursor: Any = None

    async def hold(self) -> bool:
        """Takes the lock, or gives a sign of life to keep it; False when somebody else has it.

        Connects again after a failure. Raises `SettingsInvalid` when the server refuses us, and
        what `is_unavailable` recognises when it is away.
        """
        try:
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                if self._cursor is None:
                    self._cursor = await self._connect()
                # A connection may take a lock that it has.
                await self._cursor.execute("SELECT GET_LOCK(%s, 0)", (self._name,))
                return bool(await self._cursor.fetchone() == (1,))
        except BaseException as error:
            await self.drop()
            if isinstance(error, errors.Error):
                raise OperationalError(error) from error
            if isinstance(error, TimeoutError):
                raise DBConnectionError(f"{self._location} does not answer") from error
            raise

    async def drop(self) -> None:
        """Closes the connection, whatever state it is in."""
        self._cursor = None
        with contextlib.suppress(BaseORMException, OSError):
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                await self._connection.aclose()

    async def _connect(self) -> Any:
        # To no database: ours may not have been created yet.
        connection = await self._connection.enter_async_context(
            connected(self._location, to_database=False)
        )
        cursor = await self._connection.enter_async_context(connection.cursor())
        # A computer that lost its power says no goodbye: the server would wait for it for hours.
        await cursor.execute("SET wait_timeout = %s", (max(1, round(self._forgotten_after_s)),))
        return cursor
