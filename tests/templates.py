"""Migrated, empty databases for tests: made by the migrations once in a process, then copied.

Only for tests that are not about how a database gets its tables.
"""

import io
import tempfile
from pathlib import Path

from app.database.migration import migrate
from app.database.mysql_dump import dump
from app.database.mysql_server import ensure_database
from app.setting_types import DatabaseLocation
from tests.databases import MODEL_MODULES, PrivateMariadb

_SQLITE_FILES: list[bytes] = []
_MARIADB_SCRIPTS: dict[PrivateMariadb, str] = {}


async def copy_to_sqlite(path: Path) -> None:
    """Writes the file of a migrated, empty database; its folder is made."""
    if not _SQLITE_FILES:
        with tempfile.TemporaryDirectory(prefix="navigator-test-") as name:
            made = Path(name) / "navigator.sqlite3"
            location = DatabaseLocation("sqlite", path=made)
            await migrate(location, MODEL_MODULES, backups_dir=Path(name) / "backups")
            _SQLITE_FILES.append(made.read_bytes())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_SQLITE_FILES[0])


async def copy_to_mariadb(server: PrivateMariadb, location: DatabaseLocation) -> None:
    """Creates a migrated, empty database at `location`, which is of the server."""
    if server not in _MARIADB_SCRIPTS:
        template = server.location()
        await migrate(template, MODEL_MODULES, backups_dir=server.folder / "backups")
        script = io.StringIO()
        await dump(template, script)
        _MARIADB_SCRIPTS[server] = script.getvalue()
    await ensure_database(location)
    server.sql(_MARIADB_SCRIPTS[server], database=location.name)
