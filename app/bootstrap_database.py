"""Opens the database, for `bootstrap.py`."""

import contextlib

from app.database.connection import opened
from app.database.instance import only_server
from app.database.migration import migrate, wait_for_database
from app.settings import Settings

MODEL_MODULES = (
    "app.accounts.models",
    "app.jobs.models",
    "app.generation.models",
    "app.library.models",
)
DATABASE_PATIENCE_S = 30.0


async def open_database(stack: contextlib.AsyncExitStack, settings: Settings) -> None:
    """Brings it up to date and keeps it open on `stack`; nobody else serves from it."""
    location = settings.database
    await wait_for_database(location, timeout_s=DATABASE_PATIENCE_S)
    # First, so that nobody migrates the tables under a server that works with them.
    await stack.enter_async_context(only_server(location))
    await migrate(location, MODEL_MODULES, backups_dir=settings.data_dir / "backups")
    await stack.enter_async_context(opened(location, MODEL_MODULES))
