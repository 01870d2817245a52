"""The files that came last, by the events that were published. In memory only."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.events import DownloadFinished, Event, EventBus
from app.tasks import running

_KEPT = 20
_SAME_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True)
class FinishedDownload:
    """A file that is there, and since when. `job_id` is of the first who hears of it."""

    job_id: str
    file_name: str
    finished_at: datetime


class FinishedDownloads:
    """The newest of them; a file that several users have asked for counts once."""

    def __init__(self, events: EventBus, now: Callable[[], datetime] = lambda: datetime.now(UTC)):
        self._events = events
        self._now = now
        self._found: deque[FinishedDownload] = deque(maxlen=_KEPT)

    def newest(self) -> tuple[FinishedDownload, ...]:
        """The newest comes last."""
        return tuple(self._found)

    @contextlib.asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Listens while the block runs."""
        async with self._events.subscribed() as happened, running(self._follow(happened)):
            yield

    async def _follow(self, happened: asyncio.Queue[Event]) -> None:
        while True:
            event = await happened.get()
            if not isinstance(event, DownloadFinished):
                continue
            now = self._now()
            lately = [one.file_name for one in self._found if now - one.finished_at < _SAME_WITHIN]
            if event.file_name not in lately:
                self._found.append(FinishedDownload(event.job.id, event.file_name, now))
