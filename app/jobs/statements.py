"""The two changes that every job goes through, as SQL. Called by `queue.py` only.

The ORM takes longer to write these statements than the database takes to run them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from tortoise.backends.base.client import BaseDBAsyncClient

from app.database.sql import execute
from app.jobs.models import Job, JobStatus


async def mark_running(job: Job) -> bool:
    """Makes a waiting job a running one, counts the run, and says whether it still waited.

    What went wrong before is no news any more.
    """
    started_at = datetime.now(UTC)
    changed = await execute(
        Job._meta.db,
        "UPDATE job SET status = ?, runs = ?, started_at = ?, error = NULL"
        " WHERE number = ? AND status = ?",
        [JobStatus.RUNNING.value, job.runs + 1, started_at, job.number, JobStatus.QUEUED.value],
    )
    if changed:
        job.status, job.started_at = JobStatus.RUNNING, started_at
        job.error = None  # type: ignore[assignment]
        job.runs += 1
    return changed > 0


async def erase_ended(job_id: str) -> None:
    """Deletes a job that does not wait or run."""
    await execute(
        Job._meta.db,
        "DELETE FROM job WHERE id = ? AND status NOT IN (?, ?)",
        [job_id, JobStatus.QUEUED.value, JobStatus.RUNNING.value],
    )


async def mark_ended(
    numbers: Sequence[int], status: JobStatus, connection: BaseDBAsyncClient
) -> None:
    """Gives jobs their final status, in the transaction of `connection`."""
    marks = ", ".join("?" * len(numbers))
    await execute(
        connection,
        f"UPDATE job SET status = ?, finished_at = ? WHERE number IN ({marks})",  # noqa: S608
        [status.value, datetime.now(UTC), *numbers],
    )
