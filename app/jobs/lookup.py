"""Finds the job that somebody names. Somebody else's jobs and missing ones look alike."""

from app.errors import NotFound
from app.jobs.ids import is_job_id
from app.jobs.models import Job


async def job_of(job_id: str, caller_id: str, *, is_administrator: bool) -> Job:
    """The job, if the caller may act on it; otherwise raises `NotFound`."""
    job = await Job.get_or_none(id=job_id) if is_job_id(job_id) else None
    if job is None or not (is_administrator or job.owner_id == caller_id):
        raise no_such_job()
    return job


def no_such_job() -> NotFound:
    """The refusal of a job that is missing, has ended, or is somebody else's."""
    return NotFound("Task not found", code="TASK_NOT_FOUND")
