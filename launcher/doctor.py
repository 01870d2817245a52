"""Restarts a Forge that only a restart helps: between jobs, with the queue untouched.

It looks at what Navigator says of Forge, whether Forge answers, and how much memory it takes.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

import psutil

from launcher.activity import Work, is_work, work_of
from launcher.navigator_api import NavigatorApi, NavigatorAway, NavigatorStatus, Pause
from launcher.service_state import ServiceSnapshot, ServiceState

log = logging.getLogger(__name__)

STALLED, SILENT, MEMORY = "stalled", "silent", "memory"
_LOOK_S = 2.0
_PROBE_S = 10.0
_MISSES = 6
_BUSY_S = 15 * 60.0  # so long one that is busy may be silent
_MEMORY_S = 15.0
_PATIENCE_S = 8 * 60.0
_PAUSE_MINUTES = 10.0  # it ends by itself should we be killed meanwhile
_AWAY_S = 20.0  # a Navigator that is silent for less may only be busy
_RECYCLES, _RECYCLE_AGAIN_S = 2, 30 * 60.0
_READY_LIMIT_S = 20 * 60.0
_JUST_STARTED_S = 30.0


@dataclass(frozen=True)
class Treatments:
    """What was done: how often, by cause, and the last one in a sentence.

    `now` says what is being done, None for nothing.
    """

    counts: MappingProxyType[str, int] = field(
        default_factory=lambda: MappingProxyType({STALLED: 0, SILENT: 0, MEMORY: 0})
    )
    last: str | None = None
    now: str | None = None


class Patient(Protocol):
    """The supervised Forge."""

    @property
    def snapshot(self) -> ServiceSnapshot:
        """What it does now."""

    def restart(self, reason: str | None = None) -> None:
        """Ends it and starts it again."""


class Doctor:
    """Watches over one Forge of ours. One that somebody else started is left alone."""

    def __init__(
        self,
        forge: Patient,
        api: NavigatorApi,
        answers: Callable[[], Awaitable[bool]],
        *,
        draws: Callable[[], Awaitable[bool]],
        ram_limit_bytes: int | None,
        memory: Callable[[int], int] | None = None,
        work: Callable[[int], dict[int, Work]] = work_of,
        saw: Callable[[NavigatorStatus | None], Awaitable[None]],
        look_s: float = _LOOK_S,
        clock: Callable[[], float] = time.monotonic,
    ):
        """`answers` asks Forge, `draws` whether it draws for anybody; `memory` gives the bytes of a
        process and its children, `work` what they have done; `saw` hears what Navigator says, None
        while it says nothing."""
        self._forge = forge
        self._api = api
        self._answers = answers
        self._draws = draws
        self._ram_limit_bytes = ram_limit_bytes
        self._memory = memory or memory_of
        self._work_of = work
        self._saw = saw
        self._look_s = look_s
        self._clock = clock
        self._misses = 0
        self._work: dict[int, Work] = {}
        self._line = ""
        self._answered_s = clock()
        self._probed_s = self._weighed_s = float("-inf")
        self._recycled_s: deque[float] = deque(maxlen=_RECYCLES)
        self._has_drawn = True  # since it was restarted for its memory
        self.treatments = Treatments()

    @contextlib.asynccontextmanager
    async def on_duty(self) -> AsyncIterator[None]:
        """Watches while the block runs."""
        task = asyncio.create_task(self._watch(), name="doctor")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _watch(self) -> None:
        while True:
            try:
                status = await self._status()
                self._has_drawn |= status is not None and status.job is not None
                if (found := await self._diagnosis(status)) is not None:
                    await self._treat(*found)
            except NavigatorAway as error:
                log.warning("Forge is not restarted yet: %s", error.message)
            except Exception:
                log.exception("the doctor stumbled")
            await asyncio.sleep(self._look_s)

    async def _status(self) -> NavigatorStatus | None:
        try:
            return await self._looked()
        except NavigatorAway:
            return None

    async def _looked(self) -> NavigatorStatus:
        """What Navigator says, told on. Raises `NavigatorAway`."""
        try:
            status = await self._api.status()
        except NavigatorAway:
            await self._saw(None)
            raise
        await self._saw(status)
        return status

    async def _diagnosis(self, status: NavigatorStatus | None) -> tuple[str, str] | None:
        """The cause for a restart, and a sentence; None for a healthy Forge, or one not of ours."""
        forge = self._forge.snapshot
        if forge.state is not ServiceState.RUNNING or forge.is_foreign or forge.pid is None:
            self._misses, self._answered_s = 0, self._clock()
            return None
        if status is not None and status.restart_wanted is not None:
            return STALLED, status.restart_wanted
        is_drawing = status is not None and status.job is not None
        if await self._is_silent(forge, is_drawing=is_drawing):
            return SILENT, "Forge answered no more."
        return await self._is_too_large(forge.pid)

    async def _is_silent(self, forge: ServiceSnapshot, *, is_drawing: bool) -> bool:
        """Whether it has not answered for a minute, though it does nothing else.

        While it draws, Navigator watches it. One that restarts itself, or loads, is busy.
        """
        now_s = self._clock()
        if now_s - self._probed_s < _PROBE_S:
            return False
        since_s, self._probed_s = now_s - self._probed_s, now_s
        if is_drawing or await self._answers():
            self._misses, self._answered_s = 0, now_s
            return False
        if now_s - self._answered_s < _BUSY_S and await self._is_busy(forge, since_s):
            return False
        self._misses += 1
        return self._misses >= _MISSES

    async def _is_busy(self, forge: ServiceSnapshot, within_s: float) -> bool:
        """Whether it has written a new line, or works, since the last look."""
        before, line = self._work, self._line
        self._line = forge.last_line
        self._work = await asyncio.to_thread(self._work_of, forge.pid or 0)
        return forge.last_line != line or is_work(before, self._work, within_s)

    async def _is_too_large(self, pid: int) -> tuple[str, str] | None:
        limit_bytes = self._ram_limit_bytes
        now_s = self._clock()
        if limit_bytes is None or now_s - self._weighed_s < _MEMORY_S:
            return None
        self._weighed_s = now_s
        found_bytes = await asyncio.to_thread(self._memory, pid)
        if found_bytes <= limit_bytes:
            return None
        sizes = (
            f"{found_bytes / 1e9:.1f} GB of memory, more than the {limit_bytes / 1e9:g} GB of"
            " FORGE_RAM_LIMIT"
        )
        lately = [at_s for at_s in self._recycled_s if now_s - at_s < _RECYCLE_AGAIN_S]
        if len(lately) >= _RECYCLES or (lately and not self._has_drawn):
            # Another restart would help as little as the last one.
            last = f"Forge takes {sizes}, soon after each restart; the limit is too low."
            self.treatments = replace(self.treatments, last=last)
            return None
        if await self._draws():  # its owner, by hand
            return None
        return MEMORY, f"Forge took {sizes}."

    async def _treat(self, cause: str, sentence: str) -> None:
        """Restarts it between two jobs. Raises `NavigatorAway`."""
        found = self._forge.snapshot
        self.treatments = replace(self.treatments, now=f"{sentence} Waiting for the running job.")
        pause: Pause | None = None
        try:
            # Otherwise Navigator sends nothing by itself, until Forge is there anew.
            if cause == MEMORY and not (await self._looked()).pause.is_paused:
                pause = await self._api.pause_queue(minutes=_PAUSE_MINUTES)
            if not await self._job_has_ended() or not self._is_still(found):
                return
            told = f"{sentence.rstrip('.')}; restarted."
            log.warning("%s", told)
            counts = dict(self.treatments.counts)
            counts[cause] += 1
            self.treatments = Treatments(MappingProxyType(counts), told, now=told)
            self._misses = 0
            if cause == MEMORY:
                self._recycled_s.append(self._clock())
                self._has_drawn = False
            self._forge.restart(told)
            await self._wait_until_ready(found.starts)
        finally:
            self.treatments = replace(self.treatments, now=None)
            if pause is not None:
                await self._resume(pause)

    def _is_still(self, found: ServiceSnapshot) -> bool:
        """Whether it is the one that was found, and nobody has stopped it meanwhile."""
        forge = self._forge.snapshot
        is_running = forge.state is ServiceState.RUNNING and not forge.is_foreign
        return is_running and (forge.pid, forge.starts) == (found.pid, found.starts)

    async def _job_has_ended(self) -> bool:
        """Returns when no job runs, or no Navigator; False when a job does for very long."""
        heard_s = self._clock()
        deadline_s = heard_s + _PATIENCE_S
        while self._clock() < deadline_s:
            try:
                if (await self._looked()).job is None:
                    return True
                heard_s = self._clock()
            except NavigatorAway:  # once proves nothing: it may be busy
                if self._clock() - heard_s >= _AWAY_S:
                    return True
            await asyncio.sleep(min(self._look_s, 0.5))
        return False

    async def _wait_until_ready(self, starts: int) -> None:
        """Returns when the new one is ready, or has failed."""
        deadline_s = self._clock() + _READY_LIMIT_S
        while self._clock() < deadline_s:
            await self._status()  # others want to know how things are meanwhile
            forge = self._forge.snapshot
            is_new = forge.starts > starts
            if is_new and forge.state in {ServiceState.RUNNING, ServiceState.FAILED}:
                break
            if forge.state in {ServiceState.STOPPED, ServiceState.FAILED}:
                break
            await asyncio.sleep(min(self._look_s, 1.0))
        await self._wait_until_noticed()

    async def _wait_until_noticed(self) -> None:
        """Returns when Navigator has noticed, too, or does not for long."""
        deadline_s = self._clock() + _JUST_STARTED_S
        while self._clock() < deadline_s:
            with contextlib.suppress(NavigatorAway):
                if (await self._looked()).restart_wanted is None:
                    return
            await asyncio.sleep(min(self._look_s, 0.5))

    async def _resume(self, pause: Pause) -> None:
        """Ends our own pause, not one that somebody has made meanwhile."""
        with contextlib.suppress(NavigatorAway):  # it ends by itself
            if (await self._looked()).pause == pause:
                await self._api.resume_queue()


def memory_of(pid: int) -> int:
    """Bytes that a process and its descendants hold in memory. Blocks."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for one in family:
        with contextlib.suppress(psutil.Error):
            total += one.memory_info().rss
    return total
