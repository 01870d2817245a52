"""Writes our tables of a MySQL database as a SQL script. Only reads the database."""

import asyncio
import json
from typing import IO, Any

from asyncmy.cursors import SSCursor

from app.database.mysql_server import connected, quoted
from app.setting_types import DatabaseLocation

_ROWS_PER_READ = 200
_STATEMENT_CHARACTERS = 1_000_000
_HEAD = """\
-- Tables of Navigator. Restore with: mysql --default-character-set=utf8mb4 DATABASE < THIS_FILE
SET NAMES utf8mb4;
SET time_zone = '+00:00';
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
SET foreign_key_checks = 0;
"""
_TAIL = "SET foreign_key_checks = 1;\n"


async def dump(location: DatabaseLocation, file: IO[str]) -> None:
    """Writes the tables of the last applied migration, as of one moment, to `file`.

    Rows are read and written a few at a time. Raises OSError when `file` cannot be written.
    """
    async with connected(location) as connection:
        async with connection.cursor() as cursor:
            await cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            await cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        file.write(_HEAD)
        for table in await _own_tables(connection):
            await _dump_table(connection, table, file)
        file.write(_TAIL)


async def _own_tables(connection: Any) -> list[str]:
    """The tables that the last applied migration described, as far as they exist."""
    async with connection.cursor() as cursor:
        await cursor.execute(
            "SELECT content FROM aerich WHERE app = 'models' ORDER BY id DESC LIMIT 1"
        )
        (content,) = await cursor.fetchone()
        own = {"aerich"}
        for model in json.loads(content).values():
            own.add(model["table"])
            own.update(relation["through"] for relation in model["m2m_fields"])
        await cursor.execute("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")
        return [name for name, _ in await cursor.fetchall() if name in own]


async def _dump_table(connection: Any, table: str, file: IO[str]) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute(f"SHOW CREATE TABLE {quoted(table)}")
        _, definition = await cursor.fetchone()
        file.write(f"\nDROP TABLE IF EXISTS {quoted(table)};\n{definition};\n")
        await cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND table_name = %s ORDER BY ordinal_position",
            (table,),
        )
        columns = await cursor.fetchall()
    # The server writes the literals, so no conversion by the driver can change a value.
    literals = ", ".join(_literal(name, kind) for name, kind in columns)
    names = ", ".join(quoted(name) for name, _ in columns)
    insert = f"INSERT INTO {quoted(table)} ({names}) VALUES\n"
    async with connection.cursor(SSCursor) as cursor:
        await cursor.execute(f"SELECT {literals} FROM {quoted(table)}")  # noqa: S608 - quoted above
        statement = ""
        while rows := await cursor.fetchmany(_ROWS_PER_READ):
            for row in rows:
                statement += ",\n" if statement else insert
                statement += f"({', '.join(row)})"
                if len(statement) > _STATEMENT_CHARACTERS:
                    await asyncio.to_thread(file.write, statement + ";\n")
                    statement = ""
    if statement:
        file.write(statement + ";\n")


def _literal(column: str, kind: str) -> str:
    if kind in {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit"}:
        return f"IFNULL(CONCAT('x''', HEX({quoted(column)}), ''''), 'NULL')"
    return f"QUOTE({quoted(column)})"
