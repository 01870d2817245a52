"""A worker with everything around it, and handlers that do what a test wants."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from tortoise.transactions import in_transaction

from app.events import EventBus, JobEvent
from app.jobs.models import Job, JobKind, JobStatus, Lane
from app.jobs.pause import Pauses
from app.jobs.queue import JobQueue
from app.jobs.worker import Store, Worker
from tests.building import make_job, make_queue
from tests.waiting import until

Act = Callable[[Job], Awaitable[None]]


async def succeed(job: Job) -> None:
    """What a handler or a store does when nothing happens."""


class Handler:
    """Runs and stores by the acts that the test sets; keeps which jobs it was given."""

    def __init__(self, queue: JobQueue) -> None:
        self.act: Act = succeed
        self.store: Act = succeed
        self.ran: list[str] = []
        self._queue = queue

    async def run(self, job: Job) -> Store:
        self.ran.append(job.id)
        await self.act(job)

        async def store() -> None:
            await self.store(job)
            async with in_transaction() as connection:
                await self._queue.finish([job], connection)

        return store


class Shop:
    """A worker with everything around it. `ready` is whether the third party can take a job.

    `asked` counts how often the worker wanted to know that.
    """

    def __init__(self) -> None:
        self.events = EventBus()
        self.pauses = Pauses(self.events)
        self.queue = make_queue(self.events, pauses=self.pauses)
        self.handler = Handler(self.queue)
        self.ready = asyncio.Event()
        self.ready.set()
        self.asked = 0
        self.stumbles = 0
        self.heard: list[JobEvent] = []

    async def submit(self) -> Job:
        return await make_job(self.queue)

    @contextlib.asynccontextmanager
    async def open(self, *, at_once: int = 1) -> AsyncIterator[None]:
        await self.queue.recover()
        worker = Worker(
            self.queue,
            self.events,
            Lane.GENERATION,
            {JobKind.TXT2IMG: self.handler},
            ready=self._is_ready,
            at_once=at_once,
        )
        async with self.events.subscribed() as heard:
            async with worker.working():
                yield
            events = [heard.get_nowait() for _ in range(heard.qsize())]
            self.heard += [event for event in events if isinstance(event, JobEvent)]

    async def _is_ready(self) -> None:
        self.asked += 1
        await self.ready.wait()
        if self.stumbles:
            self.stumbles -= 1
            raise ZeroDivisionError("nobody thought of this")


async def has(job: Job, status: JobStatus) -> None:
    await until(lambda: Job.exists(id=job.id, status=status))


def failing_times(times: int, error: Exception) -> Act:
    left = [error] * times

    async def act(job: Job) -> None:
        if left:
            raise left.pop()

    return act
