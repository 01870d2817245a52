"""The model files on our disk: what they take and when they were used, removing, archiving them.

Nothing outside of `MODEL_DIR` is touched, and nothing that Forge has loaded or that a job needs.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.database.connection import is_unavailable
from app.errors import Conflict, UpstreamFailed, UpstreamUnavailable
from app.jobs.models import Job, JobStatus, Lane
from app.jobs.pause import Pauses
from app.library.catalogue import Catalogue
from app.library.disk import DiskUsage, measured
from app.library.model_folder import ModelFile, ModelFolder
from app.library.model_names import Name, names_of, used_by
from app.library.model_shelf import ModelShelf
from app.library.model_uses import ModelUses
from app.library.models import FileHash
from app.tasks import running

log = logging.getLogger(__name__)

_ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)
_LOADED = "Forge has it loaded."


class ModelInUse(Conflict):
    """Forge has it loaded, or a job that waits or runs needs it."""

    code = "MODEL_IN_USE"


@dataclass(frozen=True)
class FileState:
    """A model file and what is known of it. `why_not` says why it cannot be taken away."""

    file: ModelFile
    last_used_at: datetime | None
    is_loaded: bool
    is_waited_for: bool
    why_not: str | None


@dataclass(frozen=True)
class Inventory:
    """All files, and the disk that they lie on (None when it does not tell)."""

    folder: Path
    disk: DiskUsage | None
    files: Sequence[FileState]


class ModelDisk:
    """One folder of models, of which one Forge loads.

    `last_loaded` gives what Forge had loaded when last seen, `loaded_now` what it says when it is
    asked; both as a job's parameters would name it.
    """

    def __init__(
        self,
        folder: ModelFolder,
        catalogue: Catalogue,
        pauses: Pauses,
        uses: ModelUses,
        *,
        last_loaded: Callable[[], Mapping[str, Any]],
        loaded_now: Callable[[], Awaitable[Mapping[str, Any]]],
    ):
        self._shelf = ModelShelf(folder)
        self._catalogue = catalogue
        self._pauses = pauses
        self._uses = uses
        self._last_loaded = last_loaded
        self._loaded_now = loaded_now
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()

    async def inventory(self, *, archived: bool = False) -> Inventory:
        """All files, or the archived ones. Raises `ModelFolderMissing`."""
        folder, disk, found = await asyncio.to_thread(self._look, archived)
        used, needed = await self._uses.last(), Counter[Name]()
        loaded: set[Name] = set()
        if not archived:
            needed, loaded = await self._needed(), self._names(self._last_loaded())
        files = []
        for file, why_fixed in found:
            names = names_of(file)
            is_loaded = bool(names & loaded)
            jobs = max(needed[name] for name in names)
            files.append(
                FileState(
                    file,
                    last_used_at=max((used[name] for name in names & used.keys()), default=None),
                    is_loaded=is_loaded,
                    is_waited_for=jobs > 0,
                    why_not=why_fixed or _why_used(is_loaded, jobs),
                )
            )
        return Inventory(folder, disk, files)

    async def remove(self, path: str, *, archived: bool = False) -> None:
        """Deletes the file of this `ModelFile.path`, for good.

        Raises `InvalidInput`, `NotFound`, `ModelInUse`, `ModelFolderMissing`, and what
        `ModelShelf` raises.
        """
        if archived:
            async with self._lock:
                await asyncio.to_thread(self._shelf.remove, path, archived=True)
            return
        async with self._unused(path):
            await asyncio.to_thread(self._shelf.remove, path)
        await self._follow(path)

    async def archive(self, path: str) -> None:
        """Puts the file where Forge does not look. Raises as `remove`, `Conflict`."""
        async with self._unused(path):
            await asyncio.to_thread(self._shelf.archive, path)
        await self._follow(path)

    async def restore(self, path: str) -> None:
        """Puts an archived file back. Raises as `archive`."""
        async with self._lock:
            await asyncio.to_thread(self._shelf.restore, path)
        await self._follow(path)

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """While the block runs, Forge hears of what was changed."""
        async with running(self._tell_forge()):
            yield

    @contextlib.asynccontextmanager
    async def _unused(self, path: str) -> AsyncIterator[None]:
        """Raises unless nobody needs the file; no job is started while the block runs."""
        file = await asyncio.to_thread(self._shelf.find, path)
        names = names_of(file)
        asked = self._names(await self._loaded_now())  # before: Forge may take its time
        async with self._lock, self._pauses.gate(Lane.GENERATION):
            loaded = asked | self._names(self._last_loaded())  # what a job has just loaded
            needed = await self._needed()
            jobs = max(needed[name] for name in names)
            if (why := _why_used(bool(names & loaded), jobs)) is not None:
                raise ModelInUse(f"path: {why}")
            try:
                yield
            finally:  # also when whoever asked has gone meanwhile
                self._changed.set()

    async def _needed(self) -> Counter[Name]:
        """How many jobs that wait or run name each model."""
        jobs = Job.filter(lane=Lane.GENERATION, status__in=_ACTIVE)
        parameters = await jobs.values_list("parameters", flat=True)
        # In a thread: there may be thousands, with long prompts.
        return await asyncio.to_thread(self._count, parameters)  # type: ignore[arg-type]

    def _count(self, jobs: Sequence[Mapping[str, Any]]) -> Counter[Name]:
        return Counter(name for parameters in jobs for name in self._names(parameters))

    def _names(self, parameters: Mapping[str, Any]) -> set[Name]:
        return used_by(parameters, self._catalogue.lists)

    def _look(
        self, archived: bool
    ) -> tuple[Path, DiskUsage | None, list[tuple[ModelFile, str | None]]]:
        folder = self._shelf.folder
        disk = None
        with contextlib.suppress(OSError):
            disk = measured(folder)
        return folder, disk, list(self._shelf.files(archived=archived))

    async def _follow(self, path: str) -> None:
        self._changed.set()
        try:
            await FileHash.filter(path=path).delete()
        except Exception as error:
            if not is_unavailable(error):
                raise

    async def _tell_forge(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._catalogue.rescan_after_change()
            except (UpstreamFailed, UpstreamUnavailable) as error:
                log.info("Forge has not heard of a changed file: %s", error.message)


def _why_used(is_loaded: bool, jobs: int) -> str | None:
    if is_loaded:
        return _LOADED
    if jobs == 1:
        return "A job that waits or runs needs it."
    return f"{jobs} jobs that wait or run need it." if jobs else None
