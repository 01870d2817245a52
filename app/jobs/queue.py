"""The queue: the only writer of a job's status. A job is a row before it is work."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError

from app.errors import Conflict, InvalidInput, NavigatorError
from app.events import EventBus, JobFailed, JobInterrupted
from app.jobs.allowance import Allowance
from app.jobs.idleness import Idleness
from app.jobs.ids import is_job_id, new_job_id
from app.jobs.lookup import job_of, no_such_job
from app.jobs.models import LANE_OF_KIND, Job, JobKind, JobStatus, Lane
from app.jobs.pause import Pauses
from app.jobs.rows import put_back, queue_again, take_stock
from app.jobs.statements import erase_ended, mark_ended, mark_running
from app.jobs.waiting import Waiting


class Cancellation(Enum):
    """What cancelling a job did."""

    REMOVED = "removed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Submitted:
    """An accepted job and how many jobs of its lane wait now, itself included."""

    job: Job
    queue_size: int


class JobQueue:
    """Accepts, orders, hands out and ends jobs. One per database."""

    def __init__(
        self,
        events: EventBus,
        *,
        allowance: Allowance,
        max_attempts: int,
        sync: Callable[[], Awaitable[None]] | None = None,
        pauses: Pauses | None = None,
    ):
        """`sync` returns when what is committed would survive a power cut."""
        self._sync = sync
        self._pauses = pauses or Pauses(events)
        self._events = events
        self._allowance = allowance
        self._max_attempts = max_attempts
        self._lock = asyncio.Lock()
        self._door = asyncio.Lock()  # a crowd that submits waits here, not in the worker's way
        self._last_position = 0
        self._waiting = Waiting()
        self._running: dict[str, Job] = {}
        self._cancellations: dict[str, asyncio.Event] = {}  # of every running job
        self._unsure = set[Lane]()  # the table knows better
        self.idle = Idleness(self._is_busy)

    async def recover(self) -> int:
        """Takes stock after a start; jobs that were running when we died wait again, in place.

        A job whose owner had asked for it to stop is not run again. Returns how many were
        requeued. No attempt is counted: dying was ours.
        """
        async with self._lock:
            return await self._take_stock()

    async def submit(
        self,
        kind: JobKind,
        parameters: Mapping[str, Any],
        *,
        owner_id: str,
        origin: str,
        job_id: str | None = None,
        input_bytes: int | None = None,
    ) -> Submitted:
        """Commits a new job at the end of its lane and wakes the worker.

        `input_bytes` is what files of the job's own hold. Raises `TooMany` at a limit of the
        user's, `InvalidInput` or `Conflict` for a `job_id` that is malformed or taken.
        """
        if job_id is not None and not is_job_id(job_id):
            raise InvalidInput("job_id must be 8 to 64 letters, digits, '-' or '_'.")
        lane = LANE_OF_KIND[kind]
        async with self._door, self._careful():
            self._allowance.check(self._waiting, owner_id, input_bytes or 0)
            job = Job(
                id=job_id or new_job_id(),
                kind=kind,
                lane=lane,
                status=JobStatus.QUEUED,
                position=self._last_position + 1,
                owner_id=owner_id,
                origin=origin,
                parameters=dict(parameters),
                input_bytes=input_bytes,
            )
            try:
                await job.save(force_create=True)
            except IntegrityError as error:
                if await Job.exists(id=job.id):
                    raise Conflict(f"job_id: there is a job named {job.id} already.") from error
                raise
            self._last_position += 1
            self._waiting.add(job)
            submitted = Submitted(job, self._waiting.in_lane(lane))
        if self._sync is not None:
            await self._sync()
        return submitted

    def check_room(self, owner_id: str) -> None:
        """Raises `TooMany` when `submit` would refuse one more job of the user's."""
        self._allowance.check(self._waiting, owner_id)

    async def claim(self, lane: Lane) -> Job | None:
        """Marks the first waiting job of the lane as running and gives it, or None."""
        async with self._pauses.gate(lane) as is_open, self._careful():
            while is_open and (job := await self._waiting.first(lane)) is not None:
                claimed = await mark_running(job)
                self._waiting.drop_first(lane)
                if claimed:
                    self._waiting.remove(job)
                    self._running[job.id] = job
                    self._cancellations[job.id] = asyncio.Event()
                    return job
            if is_open:
                self._waiting.sleep(lane)
            return None

    async def wait(self, lane: Lane) -> None:
        """Returns when there may be a job to claim."""
        await self._waiting.wait(lane)
        await self._pauses.wait(lane)

    def waiting(self, lane: Lane) -> int:
        """How many jobs of the lane wait."""
        return self._waiting.in_lane(lane)

    def running(self, lane: Lane) -> list[Job]:
        """The jobs of the lane that run or are being stored, in the order of their starts."""
        return [job for job in self._running.values() if job.lane == lane]

    def cancellation(self, job_id: str) -> asyncio.Event:
        """Is set when somebody asks for this running job to stop."""
        return self._cancellations[job_id]

    async def cancel(self, job_id: str, *, caller_id: str, is_administrator: bool) -> Cancellation:
        """Removes a waiting job, or asks a running one to stop.

        Raises `NotFound` when there is none, when it has ended, and when it is somebody else's.
        """
        async with self._careful():
            job = await job_of(job_id, caller_id, is_administrator=is_administrator)
            if job.status == JobStatus.QUEUED:
                waiting = Job.filter(number=job.number)
                await waiting.update(status=JobStatus.CANCELLED, finished_at=datetime.now(UTC))
                self._waiting.remove(job)
                return Cancellation.REMOVED
            # The one that runs: it knows what its handler filled in.
            running, asked = self._running.get(job.id), self._cancellations.get(job.id)
            if job.status != JobStatus.RUNNING or running is None or asked is None:
                raise no_such_job()
            still_runs = Job.filter(number=job.number, status=JobStatus.RUNNING)
            if not await still_runs.update(cancel_requested=True) and not asked.is_set():
                raise no_such_job()  # it has just ended
            asked.set()
            self._events.publish(JobInterrupted(running.snapshot()))
            return Cancellation.INTERRUPTED

    async def finish(self, jobs: Sequence[Job], using: BaseDBAsyncClient) -> None:
        """Marks running jobs as done, inside the caller's transaction `using`.

        A job that was asked to stop ends as cancelled, though it has a picture.
        """
        cancelled = [job.number for job in jobs if self._is_cancelled(job)]
        succeeded = [job.number for job in jobs if job.number not in cancelled]
        for status, numbers in ((JobStatus.SUCCEEDED, succeeded), (JobStatus.CANCELLED, cancelled)):
            if numbers:
                await mark_ended(numbers, status, using)

    async def fail(self, job: Job, reason: str) -> None:
        """Ends a running job without a picture and tells why."""
        async with self._lock:
            await self._fail(job, reason)

    async def _fail(self, job: Job, reason: str) -> None:
        if self._running.get(job.id) is not job:
            return  # done before, only the answer got lost
        status = JobStatus.CANCELLED if self._is_cancelled(job) else JobStatus.FAILED
        await Job.filter(number=job.number, status=JobStatus.RUNNING).update(
            status=status, error=reason, finished_at=datetime.now(UTC), attempts=job.attempts
        )
        self.forget(job)
        self._events.publish(JobFailed(job.snapshot(), reason))

    async def fail_attempt(self, job: Job, reason: str) -> None:
        """Counts a failure of the third party; the job waits again in place, or ends as failed."""
        job.attempts += 1
        if job.attempts >= self._max_attempts or self._is_cancelled(job):
            await self.fail(job, reason)
        else:
            await self.requeue(job, error=reason)

    async def requeue(self, job: Job, *, error: str | None = None, behind: bool = False) -> None:
        """Puts a running job back in place, or `behind` all others; ends it if it is to end."""
        async with self._lock:  # first: somebody may be asking right now
            if self._is_cancelled(job):
                await self._fail(job, error or "The job was cancelled.")
                return
            if self._running.get(job.id) is not job:
                return
            self._unsure.add(job.lane)  # of the order, and of whether this was committed
            position = self._last_position + 1 if behind else job.position
            await put_back(job, position, error)
            self.forget(job)
            self._waiting.wake_all()

    async def retry(
        self,
        job_id: str,
        *,
        caller_id: str,
        is_administrator: bool,
        check: Callable[[Job], Awaitable[None]] | None = None,
    ) -> Submitted:
        """Queues a failed job again, at the end, with fresh attempts, unless `check` raises.

        Raises `NotFound` as `cancel` does, `Conflict` when it has not failed, `TooMany`.
        """
        async with self._careful():
            job = await job_of(job_id, caller_id, is_administrator=is_administrator)
            if job.status != JobStatus.FAILED:
                raise Conflict(f"Only a failed job can be retried; this one is {job.status}.")
            self._allowance.check(self._waiting, job.owner_id, job.input_bytes or 0)
            if check is not None:
                await check(job)
            self._last_position += 1
            await queue_again(job, self._last_position)
            self._waiting.add(job)
            submitted = Submitted(job, self._waiting.in_lane(job.lane))
        if self._sync is not None:
            await self._sync()
        return submitted

    async def erase(self, job_id: str) -> None:
        """Removes the row of a job that has ended, if there is one: nobody wants it known."""
        async with self._careful():
            await erase_ended(job_id)

    def forget(self, job: Job) -> None:
        """Drops what is kept in memory of a job that runs no more."""
        if self._running.get(job.id) is job:
            del self._running[job.id], self._cancellations[job.id]
            self.idle.look()

    def _is_busy(self, lane: Lane) -> bool:
        return lane in self._unsure or self.waiting(lane) > 0 or bool(self.running(lane))

    def _is_cancelled(self, job: Job) -> bool:
        asked = self._cancellations.get(job.id)
        return asked is not None and asked.is_set()

    @contextlib.asynccontextmanager
    async def _careful(self) -> AsyncIterator[None]:
        """One change at a time, from a known state.

        When the database or the caller goes away in the middle, nobody knows whether the change
        was committed. Then the worker is woken, and the next change begins by taking stock.
        """
        async with self._lock:
            if self._unsure:
                await self._take_stock()
            try:
                yield
            except BaseException as error:
                if not isinstance(error, NavigatorError):
                    self._unsure.update(Lane)
                    self._waiting.wake_all()
                raise
            finally:
                self.idle.look()

    async def _take_stock(self) -> int:
        stock = await take_stock(self._cancellations)
        self._last_position = stock.last_position
        self._waiting.replace(stock.waiting)
        self._unsure.clear()
        self.idle.look()
        return stock.requeued
