"""Tests of `app/database/lock.py`."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from app.database.lock import migration_lock
from app.errors import NavigatorError
from app.setting_types import DatabaseLocation
from tests.databases import url_of

HOLD_FOR_EVER = """
import asyncio, sys
from app.database.lock import migration_lock
from app.setting_types import DatabaseLocation

async def main():
    async with migration_lock(DatabaseLocation.of_url(sys.argv[1]), timeout_s=10):
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_second_holder_waits_for_the_first(
    new_database_location: DatabaseLocation,
) -> None:
    order: list[str] = []

    async def hold(name: str, *, inside: asyncio.Event, leave: asyncio.Event) -> None:
        async with migration_lock(new_database_location, timeout_s=10):
            order.append(f"{name} in")
            inside.set()
            await leave.wait()
            order.append(f"{name} out")

    first_inside, leave_first, second_inside = (asyncio.Event() for _ in range(3))
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(hold("first", inside=first_inside, leave=leave_first))
        await first_inside.wait()
        with pytest.raises(NavigatorError, match="Another process has been migrating"):
            async with migration_lock(new_database_location, timeout_s=0.1):
                order.append("never")
        tasks.create_task(hold("second", inside=second_inside, leave=leave_first))
        leave_first.set()
    assert order == ["first in", "first out", "second in", "second out"]


async def test_locks_of_two_databases_are_independent(
    new_database_location: DatabaseLocation, elsewhere: DatabaseLocation
) -> None:
    async with (
        migration_lock(new_database_location, timeout_s=1),
        migration_lock(elsewhere, timeout_s=1),
    ):
        assert elsewhere != new_database_location


async def test_lock_of_a_killed_process_is_free(
    new_database_location: DatabaseLocation,
) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD_FOR_EVER, url_of(new_database_location)),
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        assert await child.stdout.readline() == b"held\n"
        with pytest.raises(NavigatorError):
            async with migration_lock(new_database_location, timeout_s=0):
                pass
    finally:
        child.kill()
        await child.communicate()
    async with migration_lock(new_database_location, timeout_s=5):
        pass
