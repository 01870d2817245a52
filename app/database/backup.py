"""Copies of a whole database in a folder, the last few kept. Never writes the database."""

import asyncio
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from app.errors import NavigatorError
from app.files import flush_folder
from app.setting_types import DatabaseLocation

log = logging.getLogger(__name__)

KEPT_COPIES = 5


async def back_up(location: DatabaseLocation, backups_dir: Path, *, before: str) -> Path:
    """Copies the database into `backups_dir` and gives the path of the copy.

    SQLite: a database file. MySQL: a script for the client `mysql`. `before` names the migration
    that follows. Older copies made here are removed except the last `KEPT_COPIES`. Raises
    `NavigatorError` when the copy cannot be written.
    """
    suffix = "sql" if location.path is None else "sqlite3"
    taken_at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    path = backups_dir / f"navigator-{taken_at}-before-{before}.{suffix}"
    try:
        await asyncio.to_thread(_prepare, backups_dir)
        if location.path is not None:
            await asyncio.to_thread(_copy_sqlite, location.path, path)
        else:
            # Imported here: with SQLite the driver would cost its memory for nothing.
            from app.database.mysql_dump import dump  # noqa: PLC0415

            with _complete_file(path) as file:
                await dump(location, file)
        await asyncio.to_thread(_remove_old, backups_dir)
    except OSError as error:
        raise NavigatorError(
            f"The database was not migrated, because the copy {path} cannot be written: {error}."
        ) from error
    log.info("copied the database to %s", path)
    return path


def _prepare(backups_dir: Path) -> None:
    backups_dir.mkdir(parents=True, exist_ok=True)
    for leftover in backups_dir.glob("navigator-*.partial"):
        leftover.unlink(missing_ok=True)


def _copy_sqlite(source: Path, path: Path) -> None:
    """Uses SQLite's backup API: a copy of the file would lose what is in its WAL only."""
    try:
        with (
            _complete_file(path) as file,
            closing(sqlite3.connect(source, timeout=10)) as database,
            closing(sqlite3.connect(file.name)) as copy,
        ):
            database.backup(copy)
            # A copy that needs no second file beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error


def _remove_old(backups_dir: Path) -> None:
    copies = sorted(
        path for path in backups_dir.glob("navigator-*-before-*") if path.suffix != ".partial"
    )
    for path in copies[:-KEPT_COPIES]:
        path.unlink(missing_ok=True)


@contextmanager
def _complete_file(path: Path) -> Iterator[IO[str]]:
    """A text file, readable by its owner only, that appears at `path` when it is complete."""
    partial = path.with_name(path.name + ".partial")
    partial.touch(mode=0o600)
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)
