"""How far the jobs that run are, by the events that were published last. In memory only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from app.events import Event, EventBus, JobFailed, JobFinished, JobProgressed, JobStarted
from app.jobs.models import JobKind
from app.tasks import running


class LatestProgress:
    """The last known progress of each job that runs."""

    def __init__(self, events: EventBus):
        self._events = events
        self._of_job: dict[str, JobProgressed] = {}

    def of(self, job_id: str) -> JobProgressed | None:
        """The last one of the job's present run; None when nothing is known."""
        return self._of_job.get(job_id)

    @contextlib.asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Listens while the block runs."""
        async with self._events.subscribed() as happened, running(self._follow(happened)):
            yield

    async def _follow(self, happened: asyncio.Queue[Event]) -> None:
        while True:
            event = await happened.get()
            if isinstance(event, JobProgressed):
                self._of_job[event.job.id] = event
            elif isinstance(event, JobStarted) and event.job.kind != JobKind.DOWNLOAD:
                self._of_job.clear()  # one at a time: what ran before is stored, or waits again
            elif isinstance(event, JobFinished | JobFailed):
                self._of_job.pop(event.job.id, None)
