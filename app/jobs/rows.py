"""What the queue seldom does with the table of jobs: taking stock, queueing again.

Called by `queue.py` only.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tortoise.functions import Max

from app.jobs.models import Job, JobStatus, Lane


@dataclass(frozen=True)
class Stock:
    """How many jobs wait again, the last position, and lane, owner and bytes of all that wait."""

    requeued: int
    last_position: int
    waiting: Sequence[tuple[Lane, str, int | None]]


async def take_stock(running: Collection[str]) -> Stock:
    """Reads what waits; a job that is running only in the table waits again.

    `running` are the ids of the jobs that do run. A lost one whose owner had asked for it to stop
    is cancelled.
    """
    lost = Job.filter(status=JobStatus.RUNNING).exclude(id__in=list(running))
    stopped = lost.filter(cancel_requested=True)
    await stopped.update(status=JobStatus.CANCELLED, finished_at=datetime.now(UTC))
    requeued = await lost.update(status=JobStatus.QUEUED)
    newest = await Job.annotate(last=Max("position")).values_list("last", flat=True)
    waiting = Job.filter(status=JobStatus.QUEUED).values_list("lane", "owner_id", "input_bytes")
    return Stock(requeued, int(newest[0] or 0), await waiting)  # type: ignore[arg-type]


async def put_back(job: Job, position: int, error: str | None) -> None:
    """Makes a running job wait at this position; `error` says why."""
    await Job.filter(number=job.number, status=JobStatus.RUNNING).update(
        status=JobStatus.QUEUED, position=position, error=error, attempts=job.attempts
    )


async def queue_again(job: Job, position: int) -> None:
    """Makes a failed job wait at this position, as if it had never run."""
    job.status, job.attempts, job.position = JobStatus.QUEUED, 0, position
    await Job.filter(number=job.number).update(
        status=job.status,
        position=position,
        attempts=0,
        error=None,
        finished_at=None,
        cancel_requested=False,
    )
