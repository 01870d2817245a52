"""How much a user may have waiting. Knows the limits, not the jobs."""

from app.errors import TooMany
from app.jobs.waiting import Waiting


class Allowance:
    """Limits per user on what waits: a number of jobs, and bytes of the files that they hold."""

    def __init__(self, *, max_jobs: int, max_bytes: int):
        self._max_jobs = max_jobs
        self._max_bytes = max_bytes

    def check(self, waiting: Waiting, owner_id: str, input_bytes: int = 0) -> None:
        """Raises `TooMany`, naming the limit, when one more job of the user's is too many."""
        jobs = waiting.of_owner(owner_id)
        if jobs >= self._max_jobs:
            raise TooMany(
                f"You have {jobs} jobs waiting already, the limit is {self._max_jobs}"
                " (MAX_QUEUED_JOBS_PER_USER).",
                code="TOO_MANY_QUEUED_JOBS",
            )
        if input_bytes and waiting.bytes_of_owner(owner_id) + input_bytes > self._max_bytes:
            raise TooMany(
                "The initial images of your waiting jobs would exceed the limit of"
                f" {self._max_bytes / 1e6:g} MB (MAX_QUEUED_BYTES_PER_USER).",
                code="TOO_MANY_QUEUED_BYTES",
            )
