"""What waits in each lane, as far as memory knows: counts, the next few jobs, wake-up calls.

Only a shadow of the table, kept by `queue.py`; it can be read anew at any time.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable

from app.jobs.models import Job, JobStatus, Lane

_READ_AHEAD = 32


class Waiting:
    """The waiting jobs of all lanes."""

    def __init__(self) -> None:
        self._wake = {lane: asyncio.Event() for lane in Lane}
        self._in_lane: Counter[Lane] = Counter()
        self._of_owner: Counter[str] = Counter()
        self._bytes_of_owner: Counter[str] = Counter()
        # Jobs only come in behind these; when one is put back, everything is counted anew. One that
        # was cancelled meanwhile cannot be claimed and is skipped.
        self._next: dict[Lane, deque[Job]] = {lane: deque() for lane in Lane}

    def in_lane(self, lane: Lane) -> int:
        """How many jobs of the lane wait."""
        return self._in_lane[lane]

    def of_owner(self, owner_id: str) -> int:
        """How many jobs of this user wait."""
        return self._of_owner[owner_id]

    def bytes_of_owner(self, owner_id: str) -> int:
        """What the waiting jobs of this user hold in files."""
        return self._bytes_of_owner[owner_id]

    def add(self, job: Job) -> None:
        """Takes note of a job that waits now, behind all others."""
        self._in_lane[job.lane] += 1
        self._of_owner[job.owner_id] += 1
        self._bytes_of_owner[job.owner_id] += job.input_bytes or 0
        self._wake[job.lane].set()

    def remove(self, job: Job) -> None:
        """Takes note of a job that waits no more."""
        self._in_lane[job.lane] -= 1
        self._of_owner[job.owner_id] -= 1
        self._bytes_of_owner[job.owner_id] -= job.input_bytes or 0
        if self._of_owner[job.owner_id] <= 0:
            del self._of_owner[job.owner_id], self._bytes_of_owner[job.owner_id]

    def replace(self, jobs: Iterable[tuple[Lane, str, int | None]]) -> None:
        """Forgets everything and counts anew: lane, owner and bytes of each waiting job."""
        self._in_lane.clear()
        self._of_owner.clear()
        self._bytes_of_owner.clear()
        for lane, owner_id, input_bytes in jobs:
            self._in_lane[lane] += 1
            self._of_owner[owner_id] += 1
            self._bytes_of_owner[owner_id] += input_bytes or 0
        for ahead in self._next.values():
            ahead.clear()
        self.wake_all()

    async def first(self, lane: Lane) -> Job | None:
        """The first waiting job of the lane, read ahead from the table."""
        ahead = self._next[lane]
        if not ahead:
            ahead.extend(
                await Job.filter(lane=lane, status=JobStatus.QUEUED)
                .order_by("position", "number")
                .limit(_READ_AHEAD)
            )
        return ahead[0] if ahead else None

    def drop_first(self, lane: Lane) -> None:
        """Goes on to the next job of the lane."""
        self._next[lane].popleft()

    async def wait(self, lane: Lane) -> None:
        """Returns when there may be a job in the lane."""
        await self._wake[lane].wait()

    def sleep(self, lane: Lane) -> None:
        """Makes `wait` wait, until a job comes."""
        self._wake[lane].clear()

    def wake_all(self) -> None:
        """Makes every `wait` return."""
        for wake in self._wake.values():
            wake.set()
