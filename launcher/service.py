"""One supervised process: started, watched until it is ready, started again when it fails."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime

from launcher.activity import is_work, work_of
from launcher.errors import LauncherError
from launcher.output import Output
from launcher.process import CannotEnd, CannotStartNow, ChildProcess
from launcher.process_tree import end_left_behind, marked
from launcher.program import Program, StartFailed
from launcher.record import Record, RecordFile
from launcher.restart_policy import RestartPolicy, Restarts
from launcher.service_state import ServiceSnapshot, ServiceState

log = logging.getLogger(__name__)

_LOOK_STARTING_S = 0.1
_LOOKS_FOR_WORK = 20  # in the silence that a start may take
_PATIENCE = 8  # with one that is silent and works: times that silence
_LOOK_RUNNING_S = 5.0
_NOT_NOW_S = 30.0
_MISSES = 3


class Service:
    """Runs one program while it is wanted."""

    def __init__(
        self,
        program: Program,
        output: Output,
        record: RecordFile,
        *,
        policy: RestartPolicy,
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ):
        """`changed` hears of every new state; it must return at once."""
        self._program = program
        self._output = output
        self._record = record
        self._restarts = Restarts(policy)
        self._limit = policy
        self._changed = changed
        self._clock = clock
        self._snapshot = ServiceSnapshot(program.name)
        self._wanted = asyncio.Event()
        self._asked = asyncio.Event()
        self._reason: str | None = None

    @property
    def snapshot(self) -> ServiceSnapshot:
        """What it does now."""
        return replace(self._snapshot, last_line=self._output.last_line)

    @property
    def state(self) -> ServiceState:
        """The same, in a word."""
        return self._snapshot.state

    def start(self) -> None:
        """Wants it to run, whatever became of it before. Returns at once, as all of these."""
        self._restarts.forget()
        self._wanted.set()
        if self.state in {ServiceState.FAILED, ServiceState.BACKOFF}:
            self._asked.set()

    def stop(self) -> None:
        """Wants it to be stopped."""
        self._wanted.clear()
        self._asked.set()

    def restart(self, reason: str | None = None) -> None:
        """Wants it to be ended and started again; `reason` is a sentence for people."""
        self._reason = reason
        self._restarts.forget()
        self._wanted.set()
        self._asked.set()

    @contextlib.asynccontextmanager
    async def supervised(self) -> AsyncIterator[None]:
        """Does what is wanted while the block runs; then it is stopped."""
        task = asyncio.create_task(self._supervise(), name=f"service-{self._program.name}")
        try:
            yield
        finally:
            self.stop()
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def _supervise(self) -> None:
        while True:
            self._asked.clear()
            if not self._wanted.is_set():
                self._tell(ServiceState.STOPPED)
                await self._wanted.wait()
                continue
            try:
                await self._run_once()
            except CannotStartNow as error:  # no failure of its own, so that it does not count
                await self._wait(error.message, min(_NOT_NOW_S, self._limit.longest_pause_s))
            except CannotEnd as error:
                self._asked.clear()  # it was asked for, and cannot be done
                await self._give_up(error.message)
            except LauncherError as error:
                await self._give_up(error.message)
            except Exception:
                log.exception("%s could not be supervised", self._program.name)
                await self._pause("The launcher failed; its log says why.")

    async def _run_once(self) -> None:
        """Sees it through from its start to its end, and waits before the next one."""
        await asyncio.to_thread(self._end_left_behind)
        if await self._program.is_served_by_others():
            await self._watch_foreign()
            return
        launch = await self._program.prepare()
        self._output.forget()
        reason, self._reason = self._reason, None
        self._tell(ServiceState.STARTING, sentence=reason, starts=self._snapshot.starts + 1)
        launch = replace(launch, environ=marked(launch.environ, self._record.mark))
        child = await ChildProcess.start(launch, self._output, starting=self._note)
        self._tell(ServiceState.STARTING, sentence=reason, pid=child.pid)
        try:
            sentence = await self._watch(child, reason)
        finally:  # also when we are to end
            await self._end(child)
        if sentence is not None:
            await self._pause(sentence)

    async def _watch(self, child: ChildProcess, reason: str | None) -> str | None:
        """Returns when it is to be ended, or has: then a sentence of why, if it is a failure."""
        exited = asyncio.create_task(child.wait())
        asked = asyncio.create_task(self._asked.wait())
        ready = asyncio.create_task(self._becomes_ready(child.pid))
        tasks: set[asyncio.Task[object]] = {exited, asked, ready}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if ready.done() and not asked.done() and not exited.done():
                if (silence := ready.result()) is not None:
                    return silence
                self._restarts.was_ready()
                self._tell(ServiceState.RUNNING, sentence=reason, pid=child.pid)
                await asyncio.wait({exited, asked}, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return None
            lines = self._output.lines()
            return await asyncio.to_thread(self._program.explain, exited.result(), lines)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _becomes_ready(self, pid: int) -> str | None:
        """Returns when it can be used; a sentence when it says and does nothing for too long."""
        limit_s = self._program.start_limit_s
        line, said_s = "", self._clock()
        work, looked_s, since_s = await asyncio.to_thread(work_of, pid), said_s, said_s
        while True:
            try:
                if await self._program.is_ready(pid):
                    return None
            except StartFailed as error:
                return error.message
            now_s = self._clock()
            if self._output.last_line != line:
                line, said_s, since_s = self._output.last_line, now_s, now_s
            if now_s - looked_s > limit_s / _LOOKS_FOR_WORK:
                before, work = work, await asyncio.to_thread(work_of, pid)
                is_busy, looked_s = is_work(before, work, now_s - looked_s), now_s
                if is_busy and now_s - said_s < limit_s * _PATIENCE:
                    since_s = now_s
            if now_s - since_s > limit_s:
                minutes, name = (now_s - said_s) / 60, self._program.name
                return f"{name} did not become ready, and was silent for {minutes:.0f} minutes."
            await asyncio.sleep(_LOOK_STARTING_S)

    async def _watch_foreign(self) -> None:
        """Returns when what others started is gone, or something is asked for."""
        self._restarts.was_ready()
        sentence = f"{self._program.name} was started by somebody else, and is used as it is."
        self._tell(ServiceState.RUNNING, sentence=sentence, is_foreign=True)
        misses = 0
        while misses < _MISSES and self._wanted.is_set():
            self._asked.clear()  # there is nothing of ours to start again
            self._reason = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_RUNNING_S):
                    await self._asked.wait()
            misses = 0 if await self._program.is_served_by_others() else misses + 1

    async def _end(self, child: ChildProcess) -> None:
        if child.exit_code is None:
            self._tell(ServiceState.STOPPING, pid=child.pid)
        ending = asyncio.create_task(child.stop(self._program.grace_s))
        is_cancelled = False
        while not ending.done():
            try:
                await asyncio.wait([ending])
            except asyncio.CancelledError:  # nothing may be left, however often we are asked
                is_cancelled = True
        self._snapshot = replace(self._snapshot, pid=None, exit_code=child.exit_code)
        error = ending.exception()
        if error is None:
            self._record.remove()
        elif is_cancelled:
            log.error("%s is left behind: %s", self._program.name, error)
        if is_cancelled:
            raise asyncio.CancelledError
        if error is not None:  # with its record kept
            raise error

    async def _pause(self, sentence: str) -> None:
        pause_s = self._restarts.failed(self._clock())
        if pause_s is None:
            policy = self._limit
            raise_as = f"It failed {policy.limit} times within {policy.within_s:g} s: {sentence}"
            await self._give_up(raise_as)
            return
        await self._wait(sentence, pause_s)

    async def _wait(self, sentence: str, pause_s: float) -> None:
        """Waits before the next start, or until something is asked for."""
        log.warning("%s Starting again in %g s.", sentence, pause_s)
        self._tell(ServiceState.BACKOFF, sentence=sentence)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._asked.wait()

    async def _give_up(self, sentence: str) -> None:
        """Stays failed until somebody wants something, or others do its work."""
        log.error("%s is given up: %s", self._program.name, sentence)
        self._tell(ServiceState.FAILED, sentence=sentence)
        while not self._asked.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_RUNNING_S):
                    await self._asked.wait()
            if not self._asked.is_set() and await self._program.is_served_by_others():
                return

    def _note(self, pid: int) -> None:
        record = Record.of(pid)
        if record is not None:
            self._record.write(record)

    def _end_left_behind(self) -> None:
        """Ends what a launcher that was killed has left. Raises `CannotEnd`, keeping the record."""
        record = self._record.read()
        if end_left_behind(record, self._record.mark):
            log.warning("%s was still there, and was ended", self._program.name)
        if record is not None and (left := record.process()) is not None:
            raise CannotEnd(
                f"Process {left.pid} of an earlier {self._program.name} cannot be ended; only a"
                " restart of the machine helps."
            )
        self._record.remove()

    def _tell(
        self,
        state: ServiceState,
        *,
        sentence: str | None = None,
        pid: int | None = None,
        is_foreign: bool = False,
        starts: int | None = None,
    ) -> None:
        before = self._snapshot
        self._snapshot = replace(
            before,
            state=state,
            since=before.since if before.state is state else datetime.now(UTC),
            pid=pid,
            sentence=sentence,
            is_foreign=is_foreign,
            starts=before.starts if starts is None else starts,
        )
        if before.state is not state:
            log.info("%s: %s%s", self._program.name, state, f" ({sentence})" if sentence else "")
        self._changed()
