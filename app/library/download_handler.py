"""Runs a download: the worker's handler for its kind of job."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from tortoise.transactions import in_transaction

from app.clients.civitai_files import FileRefused
from app.clients.public_web import NotPublic
from app.errors import NavigatorError, UpstreamFailed, UpstreamUnavailable
from app.events import DownloadFinished, DownloadProgressed, EventBus
from app.jobs.models import Job, JobStatus, Lane
from app.jobs.queue import JobQueue
from app.library.download_plan import DownloadPlan
from app.library.duplicates import Duplicates
from app.library.file_hashes import FileHashes
from app.library.model_folder import ModelFolder, ModelFolderMissing
from app.library.transfer import FileLies, FolderRefuses, Progress, Transfer, Wanted, explained
from app.tasks import cancel

log = logging.getLogger(__name__)

_TELL_S = 0.5
_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 300.0
_ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)

Finished = Callable[[Path, dict[str, Any]], Awaitable[None]]


class DownloadFailed(NavigatorError):
    """A download came to nothing, and trying again by itself is no use."""

    status = 502
    code = "DOWNLOAD_FAILED"


@dataclass(frozen=True)
class DownloadProgress:
    """How far a download is: bytes that are there, of how many, and seconds to go."""

    received_bytes: int
    size_bytes: int | None
    eta_s: float | None

    @property
    def fraction(self) -> float | None:
        """In [0, 1]; None while the size is not known."""
        if not self.size_bytes:
            return None
        return min(1.0, self.received_bytes / self.size_bytes)


class _Part:
    """What several jobs may wait for. One of them fetches it, and holds the lock."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self._told: list[Progress] = []

    @property
    def is_in_use(self) -> bool:
        """Whether a running job fetches it, or waits for it."""
        return bool(self._told)

    @contextlib.contextmanager
    def told(self, tell: Progress) -> Iterator[None]:
        """`tell` hears how it goes while the block runs."""
        self._told.append(tell)
        try:
            yield
        finally:
            self._told.remove(tell)

    def tell(self, received_bytes: int, size_bytes: int | None) -> None:
        """Tells all who wait how far it is."""
        for tell in self._told:
            tell(received_bytes, size_bytes)


class DownloadHandler:
    """Fetches what a job names. What is there of it already is continued.

    Of several jobs for the same file one fetches it, and all of them tell how it goes. When that
    one is cancelled or fails, the next goes on.
    """

    def __init__(
        self,
        transfer: Transfer,
        folder: ModelFolder,
        hashes: FileHashes,
        duplicates: Duplicates,
        *,
        queue: JobQueue,
        events: EventBus,
        finished: Finished,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ):
        """`finished` hears of each file that is there, with the parameters of its job."""
        self._transfer = transfer
        self._folder = folder
        self._hashes = hashes
        self._duplicates = duplicates
        self._queue = queue
        self._events = events
        self._finished = finished
        self._clock = clock
        self._sleep = sleep
        self._pause_s = 0.0
        self._hope = asyncio.Event()
        self._progress: dict[str, DownloadProgress] = {}
        self._parts: WeakValueDictionary[Path, _Part] = WeakValueDictionary()

    def progress_of(self, job_id: str) -> DownloadProgress | None:
        """How far a running download is; None for others."""
        return self._progress.get(job_id)

    async def wait_ready(self) -> None:
        """Returns when CivitAI may be asked: after a pause that grows while it does not answer."""
        if self._pause_s <= 0:
            return
        self._hope.clear()
        waits = [
            asyncio.ensure_future(one) for one in (self._sleep(self._pause_s), self._hope.wait())
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                await cancel(wait)

    def end_pause(self) -> None:
        """CivitAI and the disk have just answered: nothing waits for them any longer."""
        self._pause_s = 0.0
        self._hope.set()

    async def run(self, job: Job) -> Callable[[], Awaitable[None]]:
        """Fetches the file; what remains is to tell."""
        try:
            async with self._patiently():
                wanted = await asyncio.to_thread(self.wanted, job)
                with explained(wanted.target.parent):
                    await self._fetched(job, wanted)
        finally:
            self._progress.pop(job.id, None)
        self._pause_s = 0.0

        async def store() -> None:
            async with in_transaction() as connection:
                await self._queue.finish([job], connection)
            log.info("%s is downloaded", wanted.target.name)
            self._events.publish(DownloadFinished(job.snapshot(), wanted.target.name))
            await self._finished(wanted.target, job.parameters)

        return store

    def wanted(self, job: Job) -> Wanted:
        """What the job is about. Blocks; raises `ModelFolderMissing`."""
        plan = DownloadPlan.of(job.parameters)
        return Wanted(
            url=plan.url,
            target=self._folder.folder_of(plan.kind) / plan.file_name,
            key=str(plan.version_id),
            size_bytes=plan.size_bytes,
            sha256=plan.sha256,
        )

    async def discard(self, job: Job) -> None:
        """Removes what was collected for a job that does not go on, unless another one does.

        Raises `ModelFolderMissing`.
        """
        await self._discard(job, await asyncio.to_thread(self.wanted, job))

    async def _discard(self, job: Job, wanted: Wanted) -> None:
        part = self._parts.setdefault(wanted.partial, _Part())
        if part.is_in_use:
            return
        async with part.lock:  # whoever begins meanwhile must not open what is about to go
            if not await _is_waited_for(job):
                await asyncio.to_thread(self._transfer.discard, wanted)

    @contextlib.asynccontextmanager
    async def _patiently(self) -> AsyncIterator[None]:
        """What passes by itself is waited for, the longer the longer it lasts."""
        try:
            yield
        except (FileRefused, NotPublic, FileLies) as error:
            raise DownloadFailed(error.message) from error
        except (UpstreamUnavailable, UpstreamFailed):
            self._wait_longer()
            raise
        except (ModelFolderMissing, FolderRefuses) as error:
            if isinstance(error, FolderRefuses) and await asyncio.to_thread(self._is_there):
                raise
            self._wait_longer()  # a disk of the network's, or an external one
            raise UpstreamUnavailable(error.message, service="disk") from error

    def _wait_longer(self) -> None:
        self._pause_s = min(max(self._pause_s * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)

    def _is_there(self) -> bool:
        try:
            return self._folder.root.is_dir()
        except ModelFolderMissing:
            return False

    async def _fetched(self, job: Job, wanted: Wanted) -> None:
        """Returns when it is there. Raises what `_fetch` does, and when the job is to stop."""
        asked = asyncio.create_task(self._queue.cancellation(job.id).wait())
        fetching = asyncio.create_task(self._fetch(job, wanted))
        try:
            await asyncio.wait([asked, fetching], return_when=asyncio.FIRST_COMPLETED)
            if fetching.done():
                fetching.result()
                return
        finally:
            await cancel(asked)
            await cancel(fetching)
        if await asyncio.to_thread(wanted.target.exists):  # it was too late to stop it
            return
        await self._discard(job, wanted)
        raise DownloadFailed("The download was cancelled.")

    async def _fetch(self, job: Job, wanted: Wanted) -> None:
        """Raises what `Transfer.run` and `Duplicates.check` do."""
        part = self._parts.setdefault(wanted.partial, _Part())
        with part.told(self._telling(job)):
            async with part.lock:
                await self._fetch_alone(job, wanted, part.tell)

    async def _fetch_alone(self, job: Job, wanted: Wanted, tell: Progress) -> None:
        if await asyncio.to_thread(wanted.target.exists):
            # Another job has done it; or we died between the file and the end of the job.
            sha256 = await self._hashes.sha256(wanted.target)
            if wanted.sha256 in {None, sha256}:
                # Death between the two steps of a rename leaves another name of the file.
                await asyncio.to_thread(self._transfer.discard, wanted)
                return
        await self._duplicates.check(DownloadPlan.of(job.parameters))
        sha256 = await self._transfer.run(wanted, progress=tell)
        with contextlib.suppress(OSError):  # somebody has moved it already
            await self._hashes.remember(wanted.target, sha256)

    def _telling(self, job: Job) -> Progress:
        """Notes progress, and publishes it twice a second."""
        told_s = began_s = float("-inf")
        began_bytes: int | None = None

        def tell(received_bytes: int, size_bytes: int | None) -> None:
            nonlocal told_s, began_s, began_bytes
            now_s = self._clock()
            if began_bytes is None:  # only now: it may have waited for others
                began_s, began_bytes = now_s, received_bytes
            eta_s = None
            speed = (received_bytes - began_bytes) / max(now_s - began_s, 0.001)
            if size_bytes is not None and speed > 0:
                eta_s = max(0.0, (size_bytes - received_bytes) / speed)
            progress = DownloadProgress(received_bytes, size_bytes, eta_s)
            self._progress[job.id] = progress
            if now_s - told_s >= _TELL_S or received_bytes == size_bytes:
                told_s = now_s
                self._events.publish(
                    DownloadProgressed(
                        job.snapshot(), received_bytes, size_bytes, progress.fraction, eta_s
                    )
                )

        return tell


async def _is_waited_for(job: Job) -> bool:
    """Whether another job goes on with what was collected for this one."""
    active = Job.filter(lane=Lane.DOWNLOAD, status__in=_ACTIVE, cancel_requested=False)
    others = await active.exclude(id=job.id)
    version_id = job.parameters.get("model_version_id")
    return any(other.parameters.get("model_version_id") == version_id for other in others)
