"""Takes jobs of one lane in order and sees each through to its end."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Protocol

from app.database.connection import is_unavailable, until_available
from app.errors import NavigatorError, UpstreamFailed, UpstreamUnavailable
from app.events import EventBus, JobStarted
from app.jobs.models import Job, JobKind, Lane
from app.jobs.queue import JobQueue
from app.tasks import cancel

log = logging.getLogger(__name__)

Store = Callable[[], Awaitable[None]]
INTERNAL_REASON = "Navigator failed while working on this job; its log says why."
_STORING_AT_ONCE = 8
_SHUTDOWN_GRACE_S = 10.0
_STUMBLE_PAUSE_S = 1.0


class Handler(Protocol):
    """Does one kind of job."""

    async def run(self, job: Job) -> Store:
        """Does the part that the lane does one at a time.

        Gives what remains to be done beside the next job: storing the result, ending the job.
        Raises `UpstreamUnavailable` when nothing was begun, `UpstreamFailed` when an attempt
        failed, any other `NavigatorError` when trying again is pointless.
        """


class Worker:
    """Runs one lane of the queue."""

    def __init__(
        self,
        queue: JobQueue,
        events: EventBus,
        lane: Lane,
        handlers: Mapping[JobKind, Handler],
        *,
        ready: Callable[[], Awaitable[None]],
        at_once: int = 1,
        gives_way: bool = False,
    ):
        """`ready` returns when the third party that the lane needs can take a job; `at_once` jobs
        run at the same time. With `gives_way` a job that cannot be done now goes behind the others,
        which may need something else."""
        self._at_once = at_once
        self._gives_way = gives_way
        self._queue = queue
        self._events = events
        self._lane = lane
        self._handlers = handlers
        self._ready = ready
        self._slots = asyncio.Semaphore(_STORING_AT_ONCE)
        self._storing: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Works while the block runs. At its end the running jobs go back to the queue."""
        tasks = [
            asyncio.create_task(self._work(), name=f"worker-{self._lane}")
            for _ in range(self._at_once)
        ]
        try:
            yield
        finally:
            await asyncio.gather(*(cancel(task) for task in tasks))
            if self._storing:
                await asyncio.wait(self._storing, timeout=_SHUTDOWN_GRACE_S)
        for task in tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _work(self) -> None:
        while True:
            try:
                await self._work_on_next()
            except Exception:  # whatever it was, the other jobs must go on
                log.exception("the worker stumbled")
                await asyncio.sleep(_STUMBLE_PAUSE_S)

    async def _work_on_next(self) -> None:
        await self._queue.wait(self._lane)
        await self._ready()
        job = await until_available(lambda: self._queue.claim(self._lane))
        if job is not None:
            await self._slots.acquire()
            await self._run(job)

    async def _run(self, job: Job) -> None:
        log.debug("job %s started, run %d", job.id, job.runs)
        self._events.publish(JobStarted(job.snapshot()))
        try:
            store = await self._handlers[job.kind].run(job)
        except asyncio.CancelledError:
            self._slots.release()
            log.info("job %s goes back to the queue", job.id)
            # One try: a database that is away must not keep us from ending, and `recover` at the
            # next start does the same.
            with contextlib.suppress(Exception):
                await self._queue.requeue(job)
            raise
        except Exception as error:
            self._slots.release()
            await self._end(job, error)
        else:
            task = asyncio.create_task(self._store(job, store), name=f"store-{job.id}")
            self._storing.add(task)
            task.add_done_callback(self._storing.discard)

    async def _store(self, job: Job, store: Store) -> None:
        try:
            await until_available(store)
            self._queue.forget(job)
            log.debug("job %s done", job.id)
        except Exception as error:
            await self._end(job, error)
        finally:
            self._slots.release()

    async def _end(self, job: Job, error: Exception) -> None:
        """Decides what becomes of a job whose run raised `error`, and sees to it that it does."""
        if isinstance(error, UpstreamUnavailable):
            log.info("job %s waits: %s", job.id, error.message)
            behind = self._gives_way
            await _insist(lambda: self._queue.requeue(job, error=error.message, behind=behind))
        elif isinstance(error, UpstreamFailed):
            log.warning("job %s: attempt %d failed: %s", job.id, job.attempts + 1, error.message)
            attempts = job.attempts

            async def count() -> None:
                job.attempts = attempts  # the first try may not have been the last
                await self._queue.fail_attempt(job, error.message)

            await _insist(count)
        elif isinstance(error, NavigatorError):
            log.warning("job %s failed: %s", job.id, error.message)
            await _insist(lambda: self._queue.fail(job, error.message))
        elif is_unavailable(error):
            log.warning("job %s waits for the database", job.id)
            await _insist(lambda: self._queue.requeue(job))
        else:
            log.error("job %s failed", job.id, exc_info=error)
            await _insist(lambda: self._queue.fail(job, INTERNAL_REASON))


async def _insist(change: Callable[[], Awaitable[None]]) -> None:
    """Makes a change of the queue, however often the database refuses it: no job may hang."""
    while True:
        try:
            await until_available(change)
        except Exception:
            log.exception("the end of a job could not be written")
            await asyncio.sleep(_STUMBLE_PAUSE_S)
        else:
            return
