"""What claiming the next job costs when very many are done, on both databases."""

import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tortoise.backends.base.executor import EXECUTOR_CACHE

from app.accounts.models import User
from app.accounts.roles import Approval, Role
from app.database.connection import opened
from app.database.migration import migrate
from app.events import EventBus
from app.jobs.allowance import Allowance
from app.jobs.models import Job, JobKind, JobStatus, Lane
from app.jobs.queue import JobQueue
from app.setting_types import DatabaseLocation
from tests.bench.report import Figure, percentile
from tests.databases import MODEL_MODULES, PrivateMariadb, missing_mariadb

_FINISHED = 100_000
_WAITING = 200
_OWNER = "bench"


async def measure() -> list[Figure]:
    """p95 of a claim with 100,000 finished jobs in the table."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="navigator-bench-") as folder:
        path = Path(folder)
        location = DatabaseLocation("sqlite", path=path / "navigator.sqlite3")
        figures.append(await _measured("SQLite", location, path))
        if (problem := missing_mariadb()) is not None:
            raise RuntimeError(problem)
        with _mariadb() as server:
            figures.append(await _measured("MariaDB", server.location(), path))
    return figures


async def _measured(name: str, location: DatabaseLocation, folder: Path) -> Figure:
    async with _filled(location, folder):
        queue = JobQueue(
            EventBus(), allowance=Allowance(max_jobs=10**9, max_bytes=10**9), max_attempts=3
        )
        await queue.recover()
        took_ms = []
        for _ in range(_WAITING):
            began_s = time.perf_counter()
            if await queue.claim(Lane.GENERATION) is None:
                raise RuntimeError("the queue is empty too early")
            took_ms.append((time.perf_counter() - began_s) * 1000)
    return Figure(
        f"claim at 100,000 finished jobs, {name}, p95", percentile(took_ms, 0.95), "ms", at_most=2
    )


@asynccontextmanager
async def _filled(location: DatabaseLocation, folder: Path) -> AsyncIterator[None]:
    EXECUTOR_CACHE.clear()  # Tortoise keeps statements of both dialects under one name
    await migrate(location, MODEL_MODULES, backups_dir=folder / "backups")
    async with opened(location, MODEL_MODULES):
        await User.create(id=_OWNER, role=Role.APPRENTICE, approval=Approval.APPROVED)
        jobs = [_job(number) for number in range(_FINISHED + _WAITING)]
        await Job.bulk_create(jobs, batch_size=2000)
        yield


def _job(number: int) -> Job:
    done = number < _FINISHED
    return Job(
        id=f"bench{number:015d}",
        kind=JobKind.TXT2IMG,
        lane=Lane.GENERATION,
        status=JobStatus.SUCCEEDED if done else JobStatus.QUEUED,
        position=number,
        owner_id=_OWNER,
        origin="127.0.0.1",
        parameters={"prompt": "a fox in the snow", "model_name": "x", "width": 512},
    )


@contextmanager
def _mariadb() -> Iterator[PrivateMariadb]:
    server = PrivateMariadb()
    try:
        server.start()
        yield server
    finally:
        server.remove()
