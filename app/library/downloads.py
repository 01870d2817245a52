"""Downloads: who asks for a file of CivitAI's gets a job, the same one as who asks for it, too."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tortoise.expressions import Q

from app.clients.civitai import CivitaiClient
from app.errors import (
    Conflict,
    NavigatorError,
    NotFound,
    UpstreamFailed,
    UpstreamUnavailable,
)
from app.events import DownloadFinished, EventBus, JobFailed
from app.jobs.models import Job, JobKind, JobStatus, Lane
from app.jobs.queue import JobQueue
from app.library.download_handler import DownloadHandler, DownloadProgress
from app.library.download_plan import DownloadPlan, planned
from app.library.duplicates import Duplicates
from app.library.file_names import numbered
from app.library.model_browser import NO_KEY
from app.library.model_folder import ModelFolder
from app.library.transfer import Transfer
from app.tasks import running

log = logging.getLogger(__name__)

ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)
_SHOWN_FOR = timedelta(hours=24)
_KEPT_FOR_RETRY = timedelta(days=7)
_FORGE_SEES_WITHIN = timedelta(hours=1)
_SHOWN = 100
_LOOK_S = 2.0
_TIDY_S = 24 * 3600.0
_PART = re.compile(r".*\.(\d{1,19})\.part", re.DOTALL | re.ASCII)


class ServerStopping(NavigatorError):
    """Whoever waits must not wait any longer."""

    status = 503
    code = "SERVER_STOPPING"


class Downloads:
    """Takes wishes for files of CivitAI's, and tells what became of them."""

    def __init__(
        self,
        civitai: CivitaiClient,
        folder: ModelFolder,
        duplicates: Duplicates,
        transfer: Transfer,
        *,
        handler: DownloadHandler,
        queue: JobQueue,
        events: EventBus,
        supports_flux: bool,
        allow_pickle: bool,
    ):
        self._civitai = civitai
        self._folder = folder
        self._duplicates = duplicates
        self._transfer = transfer
        self._queue = queue
        self._events = events
        self._handler = handler
        self._supports_flux = supports_flux
        self._allow_pickle = allow_pickle
        self._one = asyncio.Lock()
        self._stopping = asyncio.Event()

    async def submit(self, told_id: object, *, owner_id: str, origin: str) -> tuple[Job, bool]:
        """The user's job that fetches this version of a model, and whether it is a new one.

        Jobs of several users for the same file share it: see `DownloadHandler`.

        Raises `ModelFolderMissing`, `NotFound`, `UnsupportedModel`, `UnsafeFile`,
        `AlreadyDownloaded`, `LowStorage`, `TooMany`, and what `CivitaiClient` raises.
        """
        await asyncio.to_thread(lambda: self._folder.root)
        if not await self._civitai.is_authenticated():
            if self._civitai.trouble is not None:
                raise UpstreamUnavailable(self._civitai.trouble, service="civitai")
            raise UpstreamFailed(NO_KEY, service="civitai", code="CIVITAI_REFUSES_US")
        plan = await self._plan(_version_id(told_id))
        self._handler.end_pause()
        async with self._one:  # or two would begin the same file
            active = await _active()
            same = [job for job in active if _is_for(job, plan.version_id, plan.sha256)]
            for job in same:
                if job.owner_id == owner_id and not job.cancel_requested:
                    return job, False
            if same:
                parameters = same[0].parameters
            else:
                await self._duplicates.check_known(plan)
                names = {job.parameters["file_name"].lower() for job in active}
                name = await asyncio.to_thread(self._free_name, plan, names)
                parameters = replace(plan, file_name=name).parameters()
                await asyncio.to_thread(self._check_room, parameters, active)
            submitted = await self._queue.submit(
                JobKind.DOWNLOAD, parameters, owner_id=owner_id, origin=origin
            )
        return submitted.job, True

    async def ended(self, job_id: str, *, patience_s: float) -> Job:
        """The job, once it has ended; as it is then, when that takes longer than `patience_s`.

        Raises `NotFound` when it is erased meanwhile, `ServerStopping` when we end before it does.
        """
        async with self._events.subscribed() as heard, running(self._tell_stop(heard)):
            deadline_s = asyncio.get_running_loop().time() + patience_s
            while True:
                job = await Job.get_or_none(id=job_id)
                if job is None:
                    raise NotFound("This download is not known any more.", code="DOWNLOAD_ERASED")
                left_s = deadline_s - asyncio.get_running_loop().time()
                if job.status not in ACTIVE or left_s <= 0:
                    return job
                if self._stopping.is_set():
                    raise ServerStopping(
                        "Navigator stops now; the download goes on when it runs again."
                    )
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(left_s, _LOOK_S)):
                        await _heard_end(heard, job_id)

    def stop_waiting(self) -> None:
        """Nobody is kept waiting in `ended` from now on."""
        self._stopping.set()

    def progress_of(self, job_id: str) -> DownloadProgress | None:
        """How far a running download is; None for others."""
        return self._handler.progress_of(job_id)

    async def listed(self, owner_id: str | None) -> Sequence[Job]:
        """Those of a user, or all: what runs or waits, and what ended lately, the newest first."""
        shown = Q(status__in=ACTIVE) | Q(finished_at__gt=datetime.now(UTC) - _SHOWN_FOR)
        found = Job.filter(shown, lane=Lane.DOWNLOAD)
        if owner_id is not None:
            found = found.filter(owner_id=owner_id)
        return await found.order_by("-number").limit(_SHOWN)

    async def check_retry(self, job: Job) -> None:
        """Raises `Conflict` when another job is for the same file, unless the two can share it."""
        if job.kind != JobKind.DOWNLOAD:
            return
        version_id, sha256 = (job.parameters.get(name) for name in ("model_version_id", "sha256"))
        same = [other for other in await _active() if _is_for(other, version_id, sha256)]
        if any(_is_twice(job, other) for other in same):
            raise Conflict("This file is being downloaded already.", code="ALREADY_DOWNLOADING")

    async def ended_lately(self) -> bool:
        """Whether a file has come so lately that Forge may not have seen it."""
        since = datetime.now(UTC) - _FORGE_SEES_WITHIN
        done = (JobStatus.SUCCEEDED, JobStatus.CANCELLED)  # to some it was said too late to stop
        return await Job.exists(lane=Lane.DOWNLOAD, status__in=done, finished_at__gt=since)

    async def discard(self, job_id: str) -> None:
        """Removes what was collected for a job that waited and will not run."""
        job = await Job.get_or_none(id=job_id, lane=Lane.DOWNLOAD)
        if job is None or not job.parameters:
            return
        with contextlib.suppress(Exception):  # `tidy` does it another time
            await self._handler.discard(job)

    @contextlib.asynccontextmanager
    async def kept_tidy(self) -> AsyncIterator[None]:
        """Removes parts of files that nobody waits for, at once and then every day."""
        async with running(self._tidy_now_and_then()):
            yield

    async def tidy(self) -> None:
        """Removes parts whose job neither waits, runs, nor failed so lately that it may go on."""
        # First, or one that begins meanwhile would be taken for one of nobody's.
        parts = await asyncio.to_thread(self._parts)
        needed = Q(status__in=ACTIVE) | Q(
            status=JobStatus.FAILED, finished_at__gt=datetime.now(UTC) - _KEPT_FOR_RETRY
        )
        jobs = await Job.filter(needed, lane=Lane.DOWNLOAD)
        kept = {str(job.parameters.get("model_version_id")) for job in jobs}
        await asyncio.to_thread(_remove, [path for path, key in parts if key not in kept])

    async def _plan(self, version_id: int) -> DownloadPlan:
        version = await self._civitai.model_version(version_id)
        if version is None:
            raise _no_model()
        about, model_id = version.get("model"), version.get("modelId")
        if not (isinstance(about, dict) and about.get("type")) and isinstance(model_id, int):
            answer = await self._civitai.get(f"models/{model_id}")
            if isinstance(answer.json, dict):
                version = version | {"model": answer.json}
        return planned(
            version,
            supports_flux=self._supports_flux,
            allow_pickle=self._allow_pickle,
            version_id=version_id,
        )

    def _check_room(self, parameters: dict[str, Any], active: Sequence[Job]) -> None:
        """Raises `LowStorage` when it does not fit beside all that is still to come. Blocks."""
        wanted = self._handler.wanted(Job(parameters=parameters))
        before = [self._handler.wanted(job) for job in active]
        self._transfer.check_room(wanted, before=before)

    def _free_name(self, plan: DownloadPlan, taken: set[str]) -> str:
        """The plan's name, with a number if another file has it. Blocks."""
        folder = self._folder.folder_of(plan.kind)
        if folder.is_dir():
            taken = taken | {path.name.lower() for path in folder.iterdir()}
        name, number = plan.file_name, plan.version_id
        while name.lower() in taken:
            name = numbered(plan.file_name, number)
            number += 1
        return name

    async def _tell_stop(self, heard: asyncio.Queue[Any]) -> None:
        await self._stopping.wait()
        await heard.put(None)

    async def _tidy_now_and_then(self) -> None:
        while True:
            try:
                await self.tidy()
            except Exception as error:  # no folder, no database: another day
                log.info("parts of downloads are not looked for: %s", error)
            await asyncio.sleep(_TIDY_S)

    def _parts(self) -> list[tuple[Path, str]]:
        """All parts, and the version that each is of. Blocks."""
        folders = {path for kind in self._folder.homes() for path in kind}
        found = [path for folder in folders for path in folder.glob("*.part")]
        return [(path, part[1]) for path in found if (part := _PART.fullmatch(path.name))]


async def _active() -> list[Job]:
    return await Job.filter(lane=Lane.DOWNLOAD, status__in=ACTIVE).order_by("number")


def _is_for(job: Job, version_id: object, sha256: object) -> bool:
    told = job.parameters
    is_same_file = sha256 is not None and told.get("sha256") == sha256
    return told.get("model_version_id") == version_id or is_same_file


def _is_twice(job: Job, other: Job) -> bool:
    """Whether one of two jobs for the same file would be one too many, or fetch it once more."""
    return other.owner_id == job.owner_id or other.parameters != job.parameters


def _remove(parts: Sequence[Path]) -> None:
    for path in parts:
        log.info("%s is of no download any more", path.name)
        with contextlib.suppress(OSError):
            path.unlink()


async def _heard_end(heard: asyncio.Queue[Any], job_id: str) -> None:
    while (event := await heard.get()) is not None:
        if isinstance(event, DownloadFinished | JobFailed) and event.job.id == job_id:
            return


def _version_id(told: object) -> int:
    text = str(told) if isinstance(told, int | str) and not isinstance(told, bool) else ""
    if not re.fullmatch(r"[0-9]{1,15}", text, re.ASCII):
        raise _no_model()
    return int(text)


def _no_model() -> NotFound:
    return NotFound("Model not found", code="MODEL_NOT_FOUND")
