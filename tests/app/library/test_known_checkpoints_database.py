"""Tests of `app/library/known_checkpoints.py` while the database is away."""

import asyncio
from pathlib import Path

from app.database.connection import opened
from app.database.migration import migrate
from app.library.known_checkpoints import KnownCheckpoints
from app.library.models import KnownCheckpoint
from tests.databases import MODEL_MODULES, PrivateMariadb


async def test_restrictions_from_the_start_hold_while_the_database_is_away(
    stoppable_mariadb: PrivateMariadb, tmp_path: Path
) -> None:
    location = stoppable_mariadb.location()
    await migrate(location, MODEL_MODULES, backups_dir=tmp_path / "backups")
    async with opened(location, MODEL_MODULES):
        await KnownCheckpoint.create(model_name="dream", is_restricted=True, required_role=2)
        known = await KnownCheckpoints.read()
        await asyncio.to_thread(stoppable_mariadb.stop)
        assert (await known.rows())["dream"].needed_role == 2
