"""What stands in a database before anything of ours touches it. Only reads."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app.database.connection import is_unavailable
from app.errors import SettingsInvalid
from app.setting_types import DatabaseLocation

_APPLIED = "SELECT version FROM aerich WHERE app = 'models' ORDER BY id"


@dataclass(frozen=True)
class Inventory:
    """The names of the tables, and of the migrations that were applied, in their order."""

    tables: frozenset[str] = frozenset()
    applied: tuple[str, ...] = ()
    is_of_earlier_navigator: bool = False


async def inventory(location: DatabaseLocation, *, busy_timeout_s: float = 10.0) -> Inventory:
    """What stands in the database at `location`; nothing when there is no such database.

    A SQLite file that another process has locked is waited for. Raises what `is_unavailable`
    recognises when it cannot be reached, `SettingsInvalid` when it is no database or refuses us.
    """
    if location.path is not None:
        return await asyncio.to_thread(_of_sqlite, location.path, busy_timeout_s)
    return await _of_mysql(location)


def _of_sqlite(path: Path, busy_timeout_s: float) -> Inventory:
    if not path.exists():
        return Inventory()
    try:
        with closing(sqlite3.connect(path, timeout=busy_timeout_s)) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = frozenset(str(name) for (name,) in rows)
            columns = connection.execute("SELECT name FROM pragma_table_info('migrations')")
            earlier = _is_of_earlier_navigator(tables, {str(name) for (name,) in columns})
            applied = connection.execute(_APPLIED) if "aerich" in tables else ()
            return Inventory(tables, tuple(str(name) for (name,) in applied), earlier)
    except sqlite3.DatabaseError as error:
        if is_unavailable(error):
            raise
        raise SettingsInvalid(f"DB_URL: {path} is not a usable database: {error}.") from error


async def _of_mysql(location: DatabaseLocation) -> Inventory:
    # Imported here: with SQLite the driver would cost its memory for nothing.
    from app.database.mysql_server import DatabaseMissing, connected  # noqa: PLC0415

    try:
        async with connected(location) as connection, connection.cursor() as cursor:
            await cursor.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
            )
            tables = frozenset(str(name) for (name,) in await cursor.fetchall())
            await cursor.execute(
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_schema = DATABASE() AND table_name = 'migrations'"
            )
            columns = {str(name) for (name,) in await cursor.fetchall()}
            applied: tuple[str, ...] = ()
            if "aerich" in tables:
                await cursor.execute(_APPLIED)
                applied = tuple(str(name) for (name,) in await cursor.fetchall())
            return Inventory(tables, applied, _is_of_earlier_navigator(tables, columns))
    except DatabaseMissing:
        return Inventory()


def _is_of_earlier_navigator(tables: frozenset[str], columns_of_migrations: set[str]) -> bool:
    return "migration_id" in columns_of_migrations or {"users", "images"} <= tables
