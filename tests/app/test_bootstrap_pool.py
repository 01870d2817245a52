"""Tests of `app/bootstrap.py`: how many connections to a database server it takes."""

import asyncio
from pathlib import Path

import pytest

from app.setting_types import DatabaseLocation
from tests.databases import PrivateMariadb
from tests.running import running_navigator

# One pool of ten, and the connection that keeps other servers away.
MOST = 11


@pytest.mark.parametrize("new_database_location", ["mariadb"], indirect=True)
async def test_one_pool_of_connections_is_enough(
    new_database_location: DatabaseLocation, mariadb: PrivateMariadb, tmp_path: Path
) -> None:
    async with running_navigator(tmp_path, database=new_database_location) as server:
        token = await server.login()
        for _ in range(5):
            paths = ("/api/queue", "/api/user/jobs", "/api/user/categories", "/api/downloads")
            submitting = asyncio.create_task(server.submit(token))
            answers = await asyncio.gather(*(server.get(path, token=token) for path in paths * 15))
            assert {answer.status for answer in answers} == {200}
            await submitting
            counted = (
                "SELECT COUNT(*) FROM information_schema.processlist"
                f" WHERE db = '{new_database_location.name}';"
            )
            held = int(await asyncio.to_thread(mariadb.sql, counted))
            assert 1 <= held <= MOST
