"""Since when nothing is to be done in each lane. Kept by `queue.py`; others only read it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from app.jobs.models import Lane


class Idleness:
    """The idle periods of all lanes: times in which no job of the lane waits, runs or is stored."""

    def __init__(self, is_busy: Callable[[Lane], bool]):
        self._is_busy = is_busy
        self._since: dict[Lane, datetime] = {}
        self._began = {lane: asyncio.Event() for lane in Lane}

    def look(self) -> None:
        """Takes note of a change. Idle periods begin here, and end here."""
        for lane in Lane:
            if self._is_busy(lane):
                self._since.pop(lane, None)
            elif lane not in self._since:
                self._since[lane] = datetime.now(UTC)
                self._began[lane].set()
                self._began[lane] = asyncio.Event()

    def since(self, lane: Lane) -> datetime | None:
        """When the last job of the lane ended, or the start; None while there are some."""
        return self._since.get(lane)

    async def wait(self, lane: Lane, *, after: datetime | None = None) -> datetime:
        """Returns when the lane is idle, in another period than the one that began at `after`.

        Gives when the period began.
        """
        while (since := self._since.get(lane)) is None or since == after:
            await self._began[lane].wait()
        return since
