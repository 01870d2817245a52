"""Tests of `app/library/model_uses.py` while the database is away."""

import asyncio
from pathlib import Path

from app.database.connection import opened, until_available
from app.database.migration import migrate
from app.events import EventBus, JobStarted
from app.library.model_uses import ModelUses
from app.library.models import ModelUse
from tests.app.library.test_model_names import LISTS
from tests.app.library.test_model_uses import job
from tests.databases import MODEL_MODULES, PrivateMariadb
from tests.waiting import until


async def test_uses_are_written_when_the_database_is_back(
    stoppable_mariadb: PrivateMariadb, tmp_path: Path
) -> None:
    location = stoppable_mariadb.location()
    await migrate(location, MODEL_MODULES, backups_dir=tmp_path / "backups")
    events = EventBus()
    async with (
        opened(location, MODEL_MODULES),
        ModelUses(events, lambda: LISTS, pause_s=0.01).noted(),
    ):
        await asyncio.to_thread(stoppable_mariadb.stop)
        events.publish(JobStarted(job(model_name="Dream")))
        await asyncio.to_thread(stoppable_mariadb.start)

        async def is_written() -> bool:
            return await until_available(ModelUse.all().exists, retry_delay_s=0.01)

        await until(is_written)
