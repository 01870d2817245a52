"""Unloads the checkpoint when nobody has drawn for a chosen time, so that the GPU is free.

Only what a job of ours may have loaded. Never while a job waits, runs or is stored, nor while
somebody draws in Forge's own page.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.clients.forge import ForgeClient
from app.clients.forge_health import ForgeHealth
from app.clients.forge_http import ForgeBroken
from app.database.connection import until_available
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.generation.forge_run import task_id_of
from app.generation.loaded_checkpoint import LoadedCheckpoint
from app.generation.unloading import unload
from app.jobs.models import Job, Lane
from app.jobs.pause import Pauses
from app.jobs.queue import JobQueue
from app.tasks import running

log = logging.getLogger(__name__)

_LANE = Lane.GENERATION
# The clock of the wall may jump and the computer may sleep, so it is looked at now and then.
_LOOK_S = 30.0
_AGAIN = timedelta(minutes=5)
_NEVER = "0"  # when a Forge that has just been started began its last run [get/progress_idle_fresh]


@dataclass
class _Period:
    """An idle period of the lane. Forge has drawn nothing since `quiet_since`, as far as was seen.

    `last_run` tells apart what it drew before; None while it draws, or was not looked at yet.
    """

    since: datetime
    quiet_since: datetime
    not_before: datetime
    last_run: tuple[str, int, int] | None = None


class IdleUnload:
    """Unloads the checkpoint once in every idle period that is long enough."""

    def __init__(
        self,
        forge: ForgeClient,
        health: ForgeHealth,
        queue: JobQueue,
        pauses: Pauses,
        loaded: LoadedCheckpoint,
        *,
        interval: timedelta | None,
        now: Callable[[], datetime] | None = None,
        look_s: float = _LOOK_S,
    ):
        """`interval` is how long nobody must have drawn; None for never.

        `now` is the clock; it is looked at every `look_s` seconds at least.
        """
        self._forge = forge
        self._health = health
        self._queue = queue
        self._pauses = pauses
        self._loaded = loaded
        self._interval = interval
        self._now = now or _utc_now
        self._look_s = look_s
        self._period: _Period | None = None
        self._is_failing = False

    @property
    def unloads_at(self) -> datetime | None:
        """When the checkpoint is unloaded if nobody draws before; None when it is not."""
        period, ready_since = self._period, self._health.since
        if self._interval is None or period is None or ready_since is None:
            return None
        if not self._health.is_ready or not self._lasts(period):
            return None
        return max(max(period.quiet_since, ready_since) + self._interval, period.not_before)

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Unloads while the block runs, if that is wanted."""
        if self._interval is None:
            yield
        else:
            async with running(self._work()):
                yield

    async def _work(self) -> None:
        await self._health.wait_ready()
        if not self._loaded.may_be_ours and await self._has_drawn_for_us():
            self._loaded.doubt()
        since = None
        while True:
            since = await self._queue.idle.wait(_LANE, after=since)
            period = self._period = _Period(since, quiet_since=since, not_before=since)
            while self._lasts(period):
                await self._health.wait_ready()
                await self._go_on(period)

    async def _go_on(self, period: _Period) -> None:
        if period.last_run is None:
            with contextlib.suppress(UpstreamFailed, UpstreamUnavailable):
                await self._is_quiet(period)
        unloads_at = self.unloads_at
        if unloads_at is None:
            return
        left_s = (unloads_at - self._now()).total_seconds()
        if left_s <= 0:
            await self._try(period)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(left_s, self._look_s)):
                await self._queue.idle.wait(_LANE, after=period.since)

    async def _try(self, period: _Period) -> None:
        """Unloads if nobody draws. No job can start meanwhile."""
        async with self._pauses.gate(_LANE):
            if not self._lasts(period):
                return
            try:
                if not await self._is_quiet(period):
                    return
                error = (await unload(self._forge, self._loaded)).error
            except ForgeBroken as broken:
                error = broken.message
            except (UpstreamFailed, UpstreamUnavailable) as failed:
                # It may get through to it yet: no job is sent before Forge answers again.
                error = failed.message
                self._health.report_trouble(error)
        if error is None:
            log.info("the checkpoint is unloaded: nobody has drawn since %s", period.quiet_since)
        else:
            period.not_before = self._now() + _AGAIN
            log.log(
                logging.DEBUG if self._is_failing else logging.WARNING,
                "the checkpoint could not be unloaded, trying again later: %s",
                error,
            )
        self._is_failing = error is not None

    async def _is_quiet(self, period: _Period) -> bool:
        """Whether Forge draws nothing, and has not since it was looked at last.

        What Forge tells does not say who drew. Here it is not us, so the time begins anew.
        """
        seen = await self._forge.progress()
        if seen.begun_at == _NEVER and seen.job_count == 0:
            self._loaded.forget()  # it was started anew, and has loaded nothing
            return False
        run = None if seen.job_count != 0 else (seen.begun_at, seen.job_number, seen.steps)
        is_first_look = period.last_run is None and period.quiet_since == period.since
        is_quiet = run is not None and run == period.last_run
        if not is_quiet and (run is None or not is_first_look):
            period.quiet_since = self._now()
        period.last_run = run
        return is_quiet

    def _lasts(self, period: _Period) -> bool:
        """Whether there is something to unload, and no job came since the period began."""
        return self._loaded.may_be_ours and self._queue.idle.since(_LANE) == period.since

    async def _has_drawn_for_us(self) -> bool:
        """Whether Forge remembers our last job, from before we were started.

        It knows its last 16 runs; with `--nowebui` it does not tell.
        """
        begun = Job.filter(lane=_LANE, started_at__isnull=False).order_by("-started_at")
        job = await until_available(begun.first)
        if job is not None:
            with contextlib.suppress(UpstreamFailed, UpstreamUnavailable):
                task = await self._forge.task_progress(task_id_of(job, job.runs))
                return task.active or task.completed
        return False


def _utc_now() -> datetime:
    return datetime.now(UTC)
