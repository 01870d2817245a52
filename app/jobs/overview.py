"""Where a user's jobs stand, and how long they will still take. Only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tortoise.expressions import Q

from app.jobs.models import Job, JobStatus, Lane

_RECENT_JOBS = 20
_FAILED_SHOWN_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class Place:
    """A job, how many waiting jobs run before it and itself (0: it runs), seconds until its end.

    `place` is None for a failed job, `eta_s` also while nothing is known of how long jobs take.
    """

    job: Job
    place: int | None
    eta_s: float | None


@dataclass(frozen=True)
class Overview:
    """A user's jobs that run, wait, or failed lately, in their order; and how many wait in all."""

    jobs: Sequence[Place]
    waiting: int


async def overview(owner_id: str, lane: Lane, *, now: datetime | None = None) -> Overview:
    """Of this moment. The estimate is the average of the last jobs that were done."""
    now = now or datetime.now(UTC)
    waiting = await (
        Job.filter(lane=lane, status=JobStatus.QUEUED)
        .order_by("position", "number")
        .values_list("number", flat=True)
    )
    places = {number: index + 1 for index, number in enumerate(waiting)}
    shown = Q(status__in=[JobStatus.QUEUED, JobStatus.RUNNING]) | Q(
        status=JobStatus.FAILED, finished_at__gt=now - _FAILED_SHOWN_FOR
    )
    # The first condition says nothing new, but it is one that an index can be read by.
    statuses = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.FAILED)
    jobs = await Job.filter(shown, status__in=statuses, owner_id=owner_id, lane=lane).order_by(
        "position", "number"
    )
    usual_s = await _usual_duration_s(lane)
    running = await Job.filter(lane=lane, status=JobStatus.RUNNING).first()
    rest_s = 0.0
    if running is not None and running.started_at is not None and usual_s is not None:
        rest_s = max(0.0, usual_s - (now - running.started_at).total_seconds())

    def place(job: Job) -> Place:
        if job.status == JobStatus.FAILED:
            return Place(job, None, None)
        number = 0 if job.status == JobStatus.RUNNING else places.get(job.number, len(waiting))
        return Place(job, number, None if usual_s is None else rest_s + number * usual_s)

    return Overview([place(job) for job in jobs], len(waiting))


async def _usual_duration_s(lane: Lane) -> float | None:
    done = await (
        Job.filter(lane=lane, status=JobStatus.SUCCEEDED)
        .order_by("-position")
        .limit(_RECENT_JOBS)
        .values_list("started_at", "finished_at")
    )
    durations_s = [
        (finished - started).total_seconds() for started, finished in done if started and finished
    ]
    return sum(durations_s) / len(durations_s) if durations_s else None
