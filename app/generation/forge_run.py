"""One run of a job at Forge: what is left of earlier runs, sending it, watching it, stopping it."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from app.clients.forge import ForgeClient, Generated
from app.clients.forge_health import ForgeHealth
from app.clients.forge_http import MissingRoute
from app.errors import NavigatorError, UpstreamFailed, UpstreamUnavailable
from app.events import EventBus, JobProgressed
from app.generation.previews import BLANK, Previews
from app.generation.progress import Observation, Phase, TaskWatch, Watchdog
from app.jobs.models import Job

_FIRST_LOOK_S = 0.5
_CANCEL_LOOK_S = 0.25
_INTERRUPT_AGAIN_S = 2.0
_SETTLE_S = 60.0
_SETTLED_RUNS = 5
_SHUTDOWN_INTERRUPT_S = 3.0


ForgeRequest = Callable[[], Coroutine[Any, Any, Generated]]
"""Sends one run to Forge."""


@dataclass(frozen=True)
class GenerationLimits:
    """How often we look and how long without progress is too long, in seconds."""

    look_interval_s: float
    stall_s: float
    load_s: float


class JobCancelled(NavigatorError):
    """The job was asked to stop before there was a picture."""

    status = 409
    code = "JOB_CANCELLED"


class ForgeRuns:
    """Runs jobs on one Forge, one at a time; tells of their progress."""

    def __init__(
        self,
        forge: ForgeClient,
        health: ForgeHealth,
        events: EventBus,
        previews: Previews,
        limits: GenerationLimits,
        *,
        settle_s: float = _SETTLE_S,
    ):
        """`settle_s` is how long an earlier run may take to stop once it was interrupted."""
        self._settle_s = settle_s
        self._forge = forge
        self._health = health
        self._events = events
        self._previews = previews
        self._limits = limits
        self._tells_tasks: bool | None = None  # not with `--nowebui`; None: not known yet

    def forget_mode(self) -> None:
        """Forge may have been started anew, in another mode."""
        self._tells_tasks = None

    async def settle_earlier(self, job: Job, cancelled: asyncio.Event) -> None:
        """Ends what Forge may still do for earlier runs of this job.

        Nothing of it counts as an attempt: raises `UpstreamUnavailable` when Forge does not stop,
        `JobCancelled` when the job shall not run at all.
        """
        for run in range(max(1, job.runs - _SETTLED_RUNS), job.runs):
            with contextlib.suppress(UpstreamFailed):  # it cannot tell: the new run will show
                await self._settle(task_id_of(job, run), cancelled)

    async def _settle(self, task_id: str, cancelled: asyncio.Event) -> None:
        watch = TaskWatch(self._forge, task_id)
        deadline_s = time.monotonic() + self._settle_s
        while (seen := await watch.observe()).may_interrupt and seen.is_by_id:
            stop_if(cancelled)
            if (await self._forge.progress()).job_count == 0:
                return  # a run that threw stays "active" until the next one starts
            if seen.phase is Phase.LOADING:  # goes on to its end, whoever interrupts
                deadline_s = time.monotonic() + self._settle_s
            if time.monotonic() > deadline_s:
                reason = "Forge does not stop working on an earlier run of a job."
                self._health.want_restart(reason)
                raise UpstreamUnavailable(reason, service="forge")
            await self._forge.interrupt()
            await asyncio.sleep(_CANCEL_LOOK_S)

    async def generate(
        self, job: Job, request: ForgeRequest, cancelled: asyncio.Event
    ) -> Generated:
        """Sends the run and gives its pictures. Cancelling the call interrupts Forge.

        Raises `UpstreamFailed` also when there is no progress any more.
        """
        watch = await self._watch_of(task_id_of(job, job.runs))
        stop_if(cancelled)
        sending = asyncio.create_task(request())
        tasks: set[asyncio.Task[Any]] = {sending}
        try:
            first_look_s = min(_FIRST_LOOK_S, self._limits.look_interval_s)
            await asyncio.wait(tasks, timeout=first_look_s)
            if not sending.done():
                watching = asyncio.create_task(self._follow(job, watch, cancelled))
                tasks.add(watching)
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if not sending.done():
                    await watching
            return await sending
        except asyncio.CancelledError:
            await self._interrupt_at_shutdown(watch)
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _watch_of(self, task_id: str) -> TaskWatch:
        """How to look at the task. Without ids, what runs before ours is sent is not ours."""
        if self._tells_tasks is None:
            try:
                await self._forge.task_progress(task_id)
                self._tells_tasks = True
            except MissingRoute:
                self._tells_tasks = False
        if self._tells_tasks:
            return TaskWatch(self._forge, task_id)
        running = await self._forge.progress()
        foreign = running.begun_at if running.job_count != 0 else None
        return TaskWatch(self._forge, task_id, foreign=foreign)

    async def _follow(self, job: Job, watch: TaskWatch, cancelled: asyncio.Event) -> None:
        """Tells of progress and passes a cancellation on. Raises `UpstreamFailed` at a stall."""
        watchdog = Watchdog(
            time.monotonic(), stall_s=self._limits.stall_s, load_s=self._limits.load_s
        )
        interrupted_s = -_INTERRUPT_AGAIN_S
        while True:
            with contextlib.suppress(UpstreamFailed, UpstreamUnavailable):
                seen = await watch.observe()
                watchdog.saw(seen, time.monotonic())
                self._tell(job, seen)
                again_s = interrupted_s + _INTERRUPT_AGAIN_S
                if cancelled.is_set() and seen.may_interrupt and time.monotonic() >= again_s:
                    await self._forge.interrupt()
                    interrupted_s = time.monotonic()
            if (reason := watchdog.stalled(time.monotonic())) is not None:
                self._health.want_restart(reason)
                raise UpstreamFailed(reason, service="forge", code="FORGE_STALLED")
            if cancelled.is_set():
                await asyncio.sleep(_CANCEL_LOOK_S)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(cancelled.wait(), self._limits.look_interval_s)

    def _tell(self, job: Job, seen: Observation) -> None:
        if seen.phase is Phase.WAITING:
            return
        if seen.preview is not None:
            self._previews.put(job.id, seen.preview)
        elif self._previews.get(job.id) is None:
            self._previews.put(job.id, BLANK)
        self._events.publish(
            JobProgressed(
                job.snapshot(),
                fraction=seen.fraction,
                eta_s=seen.eta_s,
                step=seen.step,
                steps=seen.steps or int(job.parameters["steps"]),
            )
        )

    async def _interrupt_at_shutdown(self, watch: TaskWatch) -> None:
        with contextlib.suppress(NavigatorError, TimeoutError):
            async with asyncio.timeout(_SHUTDOWN_INTERRUPT_S):
                if (await watch.observe()).may_interrupt:
                    await self._forge.interrupt()


def stop_if(cancelled: asyncio.Event) -> None:
    """Raises `JobCancelled` when somebody asked for the job to stop."""
    if cancelled.is_set():
        raise JobCancelled("The job was cancelled.")


def task_id_of(job: Job, run: int) -> str:
    """The name of a run at Forge; never used twice."""
    return f"navigator-{job.id}" if run <= 1 else f"navigator-{job.id}-{run}"
