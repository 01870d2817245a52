"""Tortoise's MySQL engine, made safe for a server that goes away and for cancelled requests.

Named as `engine` in the configuration; nothing else imports it. Knows no table.
"""

import contextlib
from collections.abc import Iterator
from types import TracebackType

from asyncmy import errors
from tortoise.backends.base.client import (
    NestedTransactionContext,
    TransactionalDBClient,
    TransactionContext,
    TransactionContextPooled,
)
from tortoise.backends.mysql.client import MySQLClient, TransactionWrapper
from tortoise.backends.mysql.schema_generator import MySQLSchemaGenerator
from tortoise.connection import get_connections
from tortoise.exceptions import OperationalError


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    # Tortoise does not translate the errors of taking a connection, of COMMIT and of savepoints,
    # nor the one of using a connection that was closed.
    try:
        yield
    except (errors.OperationalError, errors.InterfaceError, errors.InternalError) as error:
        raise OperationalError(error) from error


class Transaction(TransactionWrapper):
    """A transaction on one connection of the pool."""

    def _in_transaction(self) -> TransactionContext:
        return _SavepointContext(type(self)(self))


class _SavepointContext(NestedTransactionContext):
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        # Without a connection there is nothing to roll back, and the error of trying would
        # hide why (a cancelled statement closes the connection).
        if exc_type is None or self.client._connection.connected:
            await super().__aexit__(exc_type, exc_val, exc_tb)


class PooledTransactionContext(TransactionContextPooled):
    """Gives the connection back in every case, and lets the block's own error through.

    Tortoise loses the connection when BEGIN fails, and replaces a CancelledError by the error
    of rolling back on a connection that the cancelling has closed.
    """

    async def __aenter__(self) -> TransactionalDBClient:
        with _translated():
            await self.ensure_connection()
            pool = self.client._parent._pool
            connection = await pool.acquire()
            try:
                self.client._connection = connection
                await self.client.begin()
                self.token = get_connections().set(self.connection_name, self.client)
            except BaseException:
                connection.close()
                pool.release(connection)
                raise
        return self.client

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        connection = self.client._connection
        try:
            get_connections().reset(self.token)
            if self.client._finalized:
                return
            with _translated():
                if exc_val is None:
                    await self.client.commit()
                    return
                if connection.connected:
                    with contextlib.suppress(errors.Error):
                        await self.client.rollback()
                if isinstance(exc_val, errors.Error):
                    raise exc_val
        finally:
            pool = self.client._parent._pool
            if pool is not None:
                # The pool throws away a connection that is broken or still in a transaction.
                pool.release(connection)


class SchemaGenerator(MySQLSchemaGenerator):
    """Writes tables whose texts are compared byte by byte."""

    def _table_generate_extra(self, table: str) -> str:
        return " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


class Client(MySQLClient):
    """The pool of connections of this process."""

    schema_generator = SchemaGenerator

    def _in_transaction(self) -> TransactionContext:
        return PooledTransactionContext(Transaction(self), self._pool_init_lock)


client_class = Client
