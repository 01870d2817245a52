"""Pauses of lanes: while one is there, no job of its lane is started; the running one goes on.

The only writer of the table of pauses. Memory decides; the table follows, so that a database that
is away neither keeps the owner from pausing nor from resuming.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tortoise.exceptions import BaseORMException

from app.events import EventBus, QueuePaused, QueueResumed
from app.jobs.models import Lane, LanePause
from app.tasks import running

log = logging.getLogger(__name__)

# The clock of the wall may jump and the computer may sleep, so it is looked at now and then.
_LOOK_S = 30.0
_AGAIN_S = 1.0


@dataclass(frozen=True)
class Pause:
    """Since when a lane is paused, and when that ends by itself (None: not)."""

    paused_at: datetime
    resumes_at: datetime | None


class Pauses:
    """The pauses of all lanes, which are independent of each other."""

    def __init__(
        self,
        events: EventBus,
        *,
        now: Callable[[], datetime] | None = None,
        look_s: float = _LOOK_S,
    ):
        """`now` is the clock; it is looked at every `look_s` seconds at least."""
        self._events = events
        self._now = now or _utc_now
        self._look_s = look_s
        self._pauses: dict[Lane, Pause] = {}
        self._opened = {lane: asyncio.Event() for lane in Lane}
        self._gates = {lane: asyncio.Lock() for lane in Lane}
        self._changed = asyncio.Event()
        self._writing = asyncio.Lock()
        self._unsaved: set[Lane] = set()
        self._is_refused = False

    async def load(self) -> None:
        """Takes over the pauses from before the start; those whose time has passed are over."""
        known = {lane.value: lane for lane in Lane}
        for row in await LanePause.filter(lane__in=list(known)):
            lane = known[row.lane]
            if row.resumes_at is None or row.resumes_at > self._now():
                self._pauses[lane] = Pause(row.paused_at, row.resumes_at)
            else:
                self._unsaved.add(lane)
                await self._save(lane)

    def state(self, lane: Lane) -> Pause | None:
        """The pause of the lane; None when there is none."""
        return self._pauses.get(lane)

    def is_paused(self, lane: Lane) -> bool:
        """Whether no job of the lane may be started."""
        return lane in self._pauses

    def waiting_reason(self, lane: Lane) -> str | None:
        """A sentence for those whose jobs wait; None when the lane is not paused."""
        pause = self._pauses.get(lane)
        if pause is None:
            return None
        if pause.resumes_at is None:
            return "The owner has paused the queue."
        return f"The owner has paused the queue until {pause.resumes_at:%Y-%m-%d %H:%M} UTC."

    async def pause(self, lane: Lane, *, for_s: float | None = None) -> Pause:
        """Starts no job of the lane any more, for so many seconds or until `resume`.

        When it returns, a start that was under way has happened, and no other will. A pause that
        is there keeps its beginning and gets the new end.
        """
        before = self._pauses.get(lane)
        now = self._now()
        resumes_at = None if for_s is None else now + timedelta(seconds=for_s)
        pause = Pause(before.paused_at if before else now, resumes_at)
        if pause != before:
            self._set(lane, pause)
        if before is None:
            async with self._gates[lane]:
                pass
        await self._save(lane)
        return pause

    async def resume(self, lane: Lane) -> None:
        """Lets jobs of the lane start again; nothing happens when they may."""
        if lane in self._pauses:
            self._set(lane, None)
        await self._save(lane)

    async def wait(self, lane: Lane) -> None:
        """Returns when the lane is not paused."""
        while lane in self._pauses:
            await self._opened[lane].wait()

    @contextlib.asynccontextmanager
    async def gate(self, lane: Lane) -> AsyncIterator[bool]:
        """Gives whether a job may start. While the block runs, nobody else gets through.

        The queue starts jobs in it; whoever must not be disturbed by a start holds it too.
        """
        async with self._gates[lane]:
            yield lane not in self._pauses

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Ends pauses when their time has come, and makes up for what the database missed."""
        async with running(self._keep()):
            yield

    def _set(self, lane: Lane, pause: Pause | None) -> None:
        self._unsaved.add(lane)
        if pause is None:
            del self._pauses[lane]
            self._opened[lane].set()
            log.info("the lane %s is resumed", lane)
            self._events.publish(QueueResumed(lane.value))
        else:
            self._pauses[lane] = pause
            self._opened[lane].clear()
            log.info("the lane %s is paused until %s", lane, pause.resumes_at or "it is resumed")
            resumes_at_s = pause.resumes_at.timestamp() if pause.resumes_at else None
            self._events.publish(QueuePaused(lane.value, resumes_at_s))
        self._changed.set()

    async def _keep(self) -> None:
        while True:
            self._changed.clear()
            for lane, pause in list(self._pauses.items()):
                if pause.resumes_at is not None and pause.resumes_at <= self._now():
                    self._set(lane, None)
            for lane in list(self._unsaved):
                await self._save(lane)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._pause_s())

    def _pause_s(self) -> float:
        """How long nothing has to be done, if nothing changes."""
        ends = [pause.resumes_at for pause in self._pauses.values() if pause.resumes_at]
        left_s = [max(0.0, (end - self._now()).total_seconds()) for end in ends]
        return min([self._look_s, *left_s, *([_AGAIN_S] if self._unsaved else [])])

    async def _save(self, lane: Lane) -> None:
        """Writes what holds now, if need be. What the database refuses is tried again by `kept`."""
        async with self._writing:
            if lane not in self._unsaved:
                return
            pause = self._pauses.get(lane)
            try:
                await _write(lane, pause)
            except (BaseORMException, sqlite3.Error) as error:
                if not self._is_refused:
                    log.warning("the pause of a lane cannot be written yet: %s", error)
                self._is_refused = True
                return
            self._is_refused = False
            if self._pauses.get(lane) is pause:
                self._unsaved.discard(lane)


async def _write(lane: Lane, pause: Pause | None) -> None:
    if pause is None:
        await LanePause.filter(lane=lane.value).delete()
        return
    values = {"paused_at": pause.paused_at, "resumes_at": pause.resumes_at}
    await LanePause.update_or_create(values, lane=lane.value)


def _utc_now() -> datetime:
    return datetime.now(UTC)
