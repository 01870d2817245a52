"""The two changes that every job goes through, as SQL. Called by `queue.py` only.

The ORM takes longer to write these statements than the database takes to run them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from app.jobs.models import Job, JobStatus


async def mark_running(job: Job) -> bool:
    """Makes a waiting job a running one, counts the run, and says whether it still waited."""
    started_at = datetime.now(UTC)
    changed = await _run(
        Job._meta.db,
        "UPDATE job SET status = ?, runs = ?, started_at = ? WHERE number = ? AND status = ?",
        [JobStatus.RUNNING.value, job.runs + 1, started_at, job.number, JobStatus.QUEUED.value],
    )
    if changed:
        job.status, job.started_at = JobStatus.RUNNING, started_at
        job.runs += 1
    return changed > 0


async def mark_ended(
    numbers: Sequence[int], status: JobStatus, connection: BaseDBAsyncClient
) -> None:
    """Gives jobs their final status, in the transaction of `connection`."""
    marks = ", ".join("?" * len(numbers))
    await _run(
        connection,
        f"UPDATE job SET status = ?, finished_at = ? WHERE number IN ({marks})",  # noqa: S608
        [status.value, datetime.now(UTC), *numbers],
    )


async def _run(connection: BaseDBAsyncClient, statement: str, values: list[Any]) -> int:
    """Runs a statement whose values are marked by `?`; gives the number of changed rows."""
    if connection.capabilities.dialect == "mysql":
        statement = statement.replace("?", "%s")
    changed, _ = await connection.execute_query(statement, values)
    return changed
