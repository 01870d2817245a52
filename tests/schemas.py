"""Reads what a schema consists of, so that two databases can be compared. Only reads."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.databases import PrivateMariadb

Schema = dict[str, set[tuple[object, ...]]]
"""For each table its columns, indexes and foreign keys, without the names of constraints."""


def schema_of_sqlite(path: Path) -> Schema:
    """The schema of a SQLite file."""
    with closing(sqlite3.connect(path)) as connection:

        def rows(query: str, *values: str) -> list[tuple[object, ...]]:
            return connection.execute(query, values).fetchall()

        schema: Schema = {}
        for table, definition in rows(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ):
            facts = schema.setdefault(str(table), set())
            facts.add(("autoincrement", "AUTOINCREMENT" in str(definition).upper()))
            for name, kind, required, default, key in rows(
                'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)', str(table)
            ):
                facts.add(("column", name, re.sub(r"\s", "", str(kind)), required, default, key))
            for index, unique, origin, partial in rows(
                'SELECT name, "unique", origin, partial FROM pragma_index_list(?)', str(table)
            ):
                columns = tuple(
                    name
                    for (name,) in rows(
                        "SELECT name FROM pragma_index_info(?) ORDER BY seqno", str(index)
                    )
                )
                # SQLite itself names the indexes of UNIQUE and PRIMARY KEY.
                own_name = index if origin == "c" else None
                facts.add(("index", own_name, unique, origin, partial, *columns))
            for fact in rows(
                'SELECT "from", "table", "to", on_update, on_delete'
                " FROM pragma_foreign_key_list(?)",
                str(table),
            ):
                facts.add(("foreign key", *fact))
        return schema


def schema_of_mariadb(server: PrivateMariadb, database: str) -> Schema:
    """The schema of a database on the server."""
    schema: Schema = {}
    for kind, query in _MARIADB_QUERIES.items():
        for line in server.sql(query.format(f"'{database}'")).splitlines():
            table, *fact = line.split("\t")
            schema.setdefault(table, set()).add((kind, *fact))
    return schema


_MARIADB_QUERIES = {
    "table": """
        SELECT table_name, engine, table_collation FROM information_schema.tables
        WHERE table_schema = {}
    """,
    "column": """
        SELECT table_name, column_name, column_type, is_nullable, IFNULL(column_default, '-'),
            extra, IFNULL(collation_name, '-')
        FROM information_schema.columns WHERE table_schema = {}
    """,
    "index": """
        SELECT table_name, index_name, non_unique,
            GROUP_CONCAT(column_name ORDER BY seq_in_index)
        FROM information_schema.statistics WHERE table_schema = {}
        GROUP BY table_name, index_name, non_unique
    """,
    "foreign key": """
        SELECT k.table_name, GROUP_CONCAT(k.column_name ORDER BY k.ordinal_position),
            k.referenced_table_name,
            GROUP_CONCAT(k.referenced_column_name ORDER BY k.ordinal_position),
            r.update_rule, r.delete_rule
        FROM information_schema.key_column_usage k
        JOIN information_schema.referential_constraints r
            ON r.constraint_schema = k.constraint_schema
            AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name
        WHERE k.table_schema = {} AND k.referenced_table_name IS NOT NULL
        GROUP BY k.constraint_name, k.table_name, k.referenced_table_name, r.update_rule,
            r.delete_rule
    """,
    "check": """
        SELECT table_name, check_clause FROM information_schema.check_constraints
        WHERE constraint_schema = {}
    """,
}
