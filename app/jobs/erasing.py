"""Erases what the queue knows of a user. Waits until nothing of theirs runs any more."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence

from app.errors import Conflict, NotFound
from app.jobs.models import Job, JobStatus
from app.jobs.queue import Cancellation, JobQueue

_LOOK_INTERVAL_S = 0.1
_ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


class JobEraser:
    """Cancels a user's jobs and removes their rows, prompts and addresses with them."""

    def __init__(
        self,
        queue: JobQueue,
        *,
        removed: Sequence[Callable[[str], Awaitable[None]]] = (),
        patience_s: float = 20.0,
    ):
        """All of `removed` hear of each job that waited. A running one may take `patience_s` to
        stop."""
        self._queue = queue
        self._removed = removed
        self._patience_s = patience_s

    async def erase(self, owner_id: str, with_pictures: bool) -> None:
        """Raises `Conflict` when a job of theirs does not stop; then try again."""
        deadline_s = time.monotonic() + self._patience_s
        asked: set[int] = set()
        while active := await Job.filter(owner_id=owner_id, status__in=_ACTIVE):
            for job in active:
                if job.number in asked:
                    continue
                asked.add(job.number)
                with contextlib.suppress(NotFound):  # it has ended meanwhile
                    done = await self._queue.cancel(
                        job.id, caller_id=owner_id, is_administrator=True
                    )
                    for hear in self._removed if done is Cancellation.REMOVED else ():
                        await hear(job.id)
            if all(job.status == JobStatus.QUEUED for job in active):
                continue
            if time.monotonic() > deadline_s:
                raise Conflict("A job of this user is still running; try again in a moment.")
            await asyncio.sleep(_LOOK_INTERVAL_S)
        ended = Job.filter(owner_id=owner_id).exclude(status__in=_ACTIVE)
        if not with_pictures:
            # Their pictures keep their ids, so nobody may use those for others.
            kept = ended.exclude(status=JobStatus.FAILED)
            await kept.update(parameters={}, origin="", error=None)
            ended = ended.filter(status=JobStatus.FAILED)
        await ended.delete()
