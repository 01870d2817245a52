"""Plain SQL, for the few statements that the ORM takes longer to write than to run.

Values are marked by `?` in both dialects.
"""

from collections.abc import Sequence
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient


async def execute(connection: BaseDBAsyncClient, statement: str, values: Sequence[Any]) -> int:
    """Runs a statement; gives the number of rows that it changed."""
    changed, _ = await connection.execute_query(_marked(connection, statement), list(values))
    return changed


async def rows(
    connection: BaseDBAsyncClient, query: str, values: Sequence[Any]
) -> list[dict[str, Any]]:
    """Runs a query; gives its rows by column name, values as the driver gives them."""
    return await connection.execute_query_dict(_marked(connection, query), list(values))


def _marked(connection: BaseDBAsyncClient, statement: str) -> str:
    is_mysql = connection.capabilities.dialect == "mysql"
    return statement.replace("?", "%s") if is_mysql else statement
