"""Builds what fetches models, for `bootstrap.py`."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.bootstrap_models import Models
from app.events import EventBus
from app.jobs.models import JobKind, Lane
from app.jobs.queue import JobQueue
from app.jobs.worker import Worker
from app.library.catalogue import Catalogue
from app.library.download_handler import DownloadHandler
from app.library.downloads import Downloads
from app.library.duplicates import Duplicates
from app.library.finished_downloads import FinishedDownloads
from app.library.model_refresh import ModelRefresh
from app.settings import Settings

DOWNLOADS_AT_ONCE = 2


@dataclass(frozen=True)
class Fetching:
    """What takes wishes for models, and what goes on beside."""

    downloads: Downloads
    handler: DownloadHandler
    worker: Worker
    refresh: ModelRefresh
    finished: FinishedDownloads

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Fetches while the block runs."""
        if await self.downloads.ended_lately():  # Forge may not have looked before we ended
            self.refresh.want()
        async with (
            self.finished.followed(),
            self.refresh.working(),
            self.downloads.kept_tidy(),
            self.worker.working(),
        ):
            yield


def fetching(
    models: Models, settings: Settings, queue: JobQueue, events: EventBus, catalogue: Catalogue
) -> Fetching:
    """Joins it; nothing is opened."""
    refresh = ModelRefresh(catalogue)

    async def finished(_: Path, __: dict[str, Any]) -> None:
        refresh.want()

    duplicates = Duplicates(models.folder, models.hashes)
    handler = DownloadHandler(
        models.transfer,
        models.folder,
        models.hashes,
        duplicates,
        queue=queue,
        events=events,
        finished=finished,
    )
    downloads = Downloads(
        models.civitai,
        models.folder,
        duplicates,
        models.transfer,
        handler=handler,
        queue=queue,
        events=events,
        supports_flux=settings.supports_flux,
        allow_pickle=settings.allow_pickle_models,
    )
    worker = Worker(
        queue,
        events,
        Lane.DOWNLOAD,
        {JobKind.DOWNLOAD: handler},
        ready=handler.wait_ready,
        at_once=DOWNLOADS_AT_ONCE,
        gives_way=True,
    )
    return Fetching(downloads, handler, worker, refresh, FinishedDownloads(events))
