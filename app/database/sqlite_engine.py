"""Tortoise's SQLite engine, made safe for several processes and for cancelled requests.

Named as `engine` in the configuration; nothing else imports it. Knows no table.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from tortoise.backends.base.client import (
    NestedTransactionContext,
    TransactionalDBClient,
    TransactionContext,
)
from tortoise.backends.sqlite.client import (
    SqliteClient,
    SqliteTransactionContext,
    SqliteTransactionWrapper,
)
from tortoise.connection import get_connections
from tortoise.exceptions import IntegrityError, OperationalError


class Transaction(SqliteTransactionWrapper):
    """A transaction that takes the write lock at once."""

    async def begin(self) -> None:
        """Begins, waiting for other writers as long as `busy_timeout`.

        A deferred BEGIN would read first and then fail with "database is locked", without
        waiting, if another process wrote in between.
        """
        with _translated():
            await self._connection.execute_fetchall("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        """Commits; errors are Tortoise's."""
        with _translated():
            await super().commit()

    async def execute_script(self, query: str) -> None:
        """Runs a script as part of this transaction, then checks every foreign key.

        Tortoise uses `executescript`, which commits first: a migration that failed half-way
        would stay half done.
        """
        async with self.acquire_connection() as connection:
            with _translated():
                for statement in statements(query):
                    await connection.execute_fetchall(statement)
                orphans = await connection.execute_fetchall("PRAGMA foreign_key_check")
        if orphans:
            table, row_id, parent, _ = tuple(orphans[0])
            raise IntegrityError(f"row {row_id} of {table} refers to a missing row of {parent}")

    def _in_transaction(self) -> TransactionContext:
        return NestedTransactionContext(type(self)(self))


class ImmediateTransactionContext(SqliteTransactionContext):
    """Gives the connection back in every case.

    Tortoise keeps its lock for ever when BEGIN fails or is cancelled, and keeps the transaction
    open when COMMIT fails.
    """

    async def __aenter__(self) -> TransactionalDBClient:
        await self._trxlock.acquire()
        try:
            await self.ensure_connection()
            await self.connection.begin()
            self.token = get_connections().set(self.connection_name, self.connection)
        except BaseException:
            try:
                await self._roll_back()
            finally:
                self._trxlock.release()
            raise
        transaction: TransactionalDBClient = self.connection
        return transaction

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        try:
            get_connections().reset(self.token)
            if exc_type is None and not self.connection._finalized:
                await self.connection.commit()
        finally:
            # A commit that we were cancelled in has still been queued before this, which then
            # does nothing.
            try:
                if not self.connection._finalized:
                    await self._roll_back()
            finally:
                self._trxlock.release()

    async def _roll_back(self) -> None:
        if self.connection._connection is not None:
            with contextlib.suppress(sqlite3.Error, ValueError):
                await self.connection._connection.rollback()


class Client(SqliteClient):
    """The connection of this process."""

    async def create_connection(self, with_db: bool) -> None:
        """Connects and sets the pragmas, or leaves nothing behind.

        Tortoise would go on with a connection whose pragmas could not be set. aiosqlite does not
        wait for the end of its thread when it cannot open the file, so that is tried first.
        """
        if self._connection is None:
            with _translated():
                await asyncio.to_thread(lambda: sqlite3.connect(self.filename).close())
                try:
                    await super().create_connection(with_db)
                except BaseException:
                    await self.close()
                    raise

    def _in_transaction(self) -> TransactionContext:
        return ImmediateTransactionContext(Transaction(self), self._lock)

    async def execute_many(self, query: str, values: list[list[Any]]) -> None:
        """Runs `query` once per row of `values`, all or nothing, also when cancelled."""
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)


client_class = Client


def statements(script: str) -> Iterator[str]:
    """The statements of a SQL script, split where SQLite itself sees an end.

    Raises ValueError when the last one is not complete.
    """
    statement = ""
    for part in script.split(";")[:-1]:
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    rest = statement + script.rpartition(";")[2]
    if rest.strip():
        raise ValueError(f"this SQL has no end: {rest.strip()[:80]}")


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise IntegrityError(error) from error
    except sqlite3.OperationalError as error:
        raise OperationalError(error) from error
