"""Tests of the worker when the database refuses. MariaDB: SQLite has one writer at a time."""

import asyncio
from collections.abc import Iterator

import pytest

from app.errors import InvalidInput
from app.jobs.models import Job, JobStatus
from app.setting_types import DatabaseLocation
from tests.app.jobs.shop import Shop, failing_times, has
from tests.databases import PrivateMariadb

_LOCKED_S = 2.5
_PATIENCE_S = 1  # whole seconds, the least that MariaDB takes

pytestmark = pytest.mark.parametrize("new_database_location", ["mariadb"], indirect=True)


@pytest.fixture
def impatient_mariadb(mariadb: PrivateMariadb) -> Iterator[PrivateMariadb]:
    """Connections opened from now on wait for a lock only briefly."""
    mariadb.sql(f"SET GLOBAL innodb_lock_wait_timeout={_PATIENCE_S}")
    yield mariadb
    mariadb.sql("SET GLOBAL innodb_lock_wait_timeout=50")


@pytest.mark.usefixtures("impatient_mariadb", "owner")
@pytest.mark.parametrize("outcome", [JobStatus.SUCCEEDED, JobStatus.FAILED])
async def test_job_ends_though_its_row_was_locked_for_longer_than_the_server_waits(
    impatient_mariadb: PrivateMariadb, database: DatabaseLocation, outcome: JobStatus
) -> None:
    """Neither the end of the job nor the other jobs get lost."""
    shop = Shop()
    locked = asyncio.Event()
    lock = (
        "START TRANSACTION; SELECT COUNT(*) FROM job FOR UPDATE;"
        f" SELECT SLEEP({_LOCKED_S}); COMMIT;"
    )

    refuse = failing_times(1 if outcome is JobStatus.FAILED else 0, InvalidInput("no"))

    async def wait_for_the_lock(job: Job) -> None:
        await locked.wait()
        await refuse(job)

    shop.handler.act = wait_for_the_lock
    job = await shop.submit()
    async with shop.open():
        await has(job, JobStatus.RUNNING)
        locking = asyncio.create_task(
            asyncio.to_thread(impatient_mariadb.sql, lock, database=database.name)
        )
        await asyncio.to_thread(_until_locked, impatient_mariadb)
        locked.set()
        await locking
        await has(job, outcome)
        other = await shop.submit()
        await has(other, JobStatus.SUCCEEDED)


def _until_locked(mariadb: PrivateMariadb) -> None:
    while "SLEEP" not in mariadb.sql(
        "SELECT info FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"
    ):
        pass
