"""Brings a database to the tables that this version needs, or refuses it.

The only place that knows aerich, which reads and applies the files in `migrations/`.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from tortoise.context import TortoiseContext
from tortoise.exceptions import BaseORMException

import app
from app.database.backup import back_up
from app.database.connection import is_unavailable, tortoise_config
from app.database.inventory import Inventory, inventory
from app.database.lock import migration_lock
from app.errors import SettingsInvalid, UpstreamUnavailable
from app.setting_types import DatabaseLocation
from app.tasks import running

log = logging.getLogger(__name__)

MIGRATIONS_DIR = Path(app.__file__).parent.parent / "migrations"
_LOCK_TIMEOUT_S = 600.0
_TOLD_EVERY_S = 30.0


async def migrate(
    location: DatabaseLocation,
    model_modules: Sequence[str],
    *,
    backups_dir: Path,
    migrations_dir: Path = MIGRATIONS_DIR,
) -> list[str]:
    """Applies the migrations that are missing, one process at a time; gives their names.

    Creates the database if there is none. An existing one is first copied to `backups_dir`.
    Raises `SettingsInvalid` for a database that is not ours to change (the earlier Navigator's,
    another program's, a newer Navigator's) or cannot be used with these settings,
    `NavigatorError` when the copy fails, and what `is_unavailable` recognises when the database
    is away.
    """
    known = migration_names(location, migrations_dir)
    # Nearly every start ends here, without the lock and without importing aerich.
    if not _missing(await inventory(location), known, location):
        return []
    await _make_room(location)
    async with running(_tell_of_it()), migration_lock(location, timeout_s=_LOCK_TIMEOUT_S):
        found = await inventory(location)
        missing = _missing(found, known, location)
        if not missing:
            return []
        if found.applied:
            await back_up(location, backups_dir, before=missing[0])
        await _upgrade(location, model_modules, migrations_dir, found)
    log.info("migrated %s: %s", location, ", ".join(missing))
    return missing


async def _tell_of_it() -> None:
    """Says that it goes on: who sees nothing for minutes, ends it in the middle."""
    began_s = time.monotonic()
    while True:
        await asyncio.sleep(_TOLD_EVERY_S)
        log.warning("the database is being migrated, for %.0f s now", time.monotonic() - began_s)


async def wait_for_database(location: DatabaseLocation, *, timeout_s: float = 30.0) -> None:
    """Returns as soon as the database answers.

    Raises `UpstreamUnavailable` when it has not for `timeout_s` seconds, and at once
    `SettingsInvalid` when it refuses us.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            await inventory(location)
        except (BaseORMException, sqlite3.Error) as error:
            if not is_unavailable(error):
                raise
            if time.monotonic() >= deadline:
                raise UpstreamUnavailable(
                    f"The database {location} cannot be reached: {error}", service="database"
                ) from error
        else:
            return
        await asyncio.sleep(0.5)


def migration_names(
    location: DatabaseLocation, migrations_dir: Path = MIGRATIONS_DIR
) -> tuple[str, ...]:
    """The names of the migrations of this version for the dialect of `location`, in order."""
    files = (migrations_dir / location.dialect / "models").glob("[0-9]*_*.py")
    return tuple(sorted((file.stem for file in files), key=lambda name: int(name.split("_")[0])))


def _missing(found: Inventory, known: Sequence[str], location: DatabaseLocation) -> list[str]:
    """The migrations to apply. Raises `SettingsInvalid` when the database must be left alone."""
    if found.is_of_earlier_navigator:
        raise SettingsInvalid(
            f"The database {location} belongs to the earlier Navigator and is left as it is;"
            " name another one in DB_NAME or DB_URL."
        )
    applied = [version.removesuffix(".py") for version in found.applied]
    if unknown := [name for name in applied if name not in known]:
        raise SettingsInvalid(
            f"The database {location} was made by a newer Navigator (it has the migration"
            f" {unknown[-1]}); update Navigator, or name another database in DB_NAME or DB_URL."
        )
    return [name for name in known if name not in applied]


async def _make_room(location: DatabaseLocation) -> None:
    """Creates what must be there before the lock: the folder, or the database on the server."""
    if location.path is None:
        # Imported here: with SQLite the driver would cost its memory for nothing.
        from app.database.mysql_server import ensure_database  # noqa: PLC0415

        await ensure_database(location)
        return
    try:
        await asyncio.to_thread(location.path.parent.mkdir, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsInvalid(
            f"DB_URL: the folder {location.path.parent} cannot be made ({error.strerror})."
        ) from error


async def _upgrade(
    location: DatabaseLocation,
    model_modules: Sequence[str],
    migrations_dir: Path,
    found: Inventory,
) -> None:
    # Imported here: a start without migrations does without it. On Windows this import also
    # changes the event loop policy, so loops are started with a factory.
    from aerich import Command  # noqa: PLC0415

    config = tortoise_config(location, [*model_modules, "aerich.models"])
    credentials = config["connections"]["default"]["credentials"]
    if location.dialect == "sqlite":
        # Rebuilding a table would delete the rows that refer to it, and this cannot be changed
        # inside a transaction. The engine checks all foreign keys before it commits.
        credentials["foreign_keys"] = "OFF"
    async with TortoiseContext() as context:
        await context.init(config=config)
        if "aerich" not in found.tables and context.apps is not None:
            own = {model._meta.db_table for model in context.apps.get_models_iterable()}
            if foreign := sorted(own & found.tables):
                raise SettingsInvalid(
                    f"The database {location} has a table {foreign[0]} of another program;"
                    " name another database in DB_NAME or DB_URL."
                )
        command = Command(config, app="models", location=str(migrations_dir / location.dialect))
        await command.init()
        await command.upgrade()
