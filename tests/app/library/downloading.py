"""Downloads as bootstrap joins them, from a fake CivitAI into a folder, on the open database."""

import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.clients.civitai import CivitaiClient
from app.clients.civitai_files import CivitaiFiles
from app.clients.public_web import PublicWeb
from app.clients.web_http import web_session
from app.events import Event, EventBus
from app.jobs.models import Job, JobKind, JobStatus, Lane
from app.jobs.queue import JobQueue
from app.jobs.worker import Worker
from app.library.download_handler import DownloadHandler
from app.library.downloads import Downloads
from app.library.duplicates import Duplicates
from app.library.file_hashes import FileHashes
from app.library.model_folder import ModelFolder
from app.library.transfer import Transfer
from tests.building import OWNER, make_queue
from tests.fakes.civitai import API_KEY, FakeCivitai
from tests.waiting import until

ORIGIN = "127.0.0.1"
INK = b"ink" * 5000


@dataclass
class Shop:
    """What takes wishes and what fulfils them; pauses do not wait, and are noted."""

    civitai: FakeCivitai
    root: Path
    queue: JobQueue
    downloads: Downloads
    handler: DownloadHandler
    worker: Worker
    events: EventBus
    pauses_s: list[float]
    finished: list[str]

    async def submit(self, version_id: object, owner_id: str = OWNER) -> Job:
        """The job for a version."""
        return (await self.downloads.submit(version_id, owner_id=owner_id, origin=ORIGIN))[0]

    async def has(self, job: Job, status: JobStatus) -> Job:
        """The job, once it has this status."""
        await until(lambda: Job.exists(id=job.id, status=status))
        return await Job.get(id=job.id)

    def names(self) -> list[str]:
        """All files below the folder of models, and beside it."""
        found = self.root.parent.rglob("*")
        return sorted(path.relative_to(self.root).as_posix() if path.is_relative_to(self.root)
                      else path.name for path in found if path.is_file())  # fmt: skip

    @contextlib.asynccontextmanager
    async def heard(self) -> AsyncIterator[list[Event]]:
        """What was told, once the block has ended."""
        told: list[Event] = []
        async with self.events.subscribed() as queue:
            yield told
            while not queue.empty():
                told.append(queue.get_nowait())


@contextlib.asynccontextmanager
async def shop(
    civitai: FakeCivitai,
    root: Path,
    *,
    disk_usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage,
    **changes: Any,
) -> AsyncIterator[Shop]:
    """A shop that nobody works in yet. `changes` are of what `Downloads` is told."""
    events, finished, pauses_s = EventBus(), list[str](), list[float]()
    queue = make_queue(events)
    await queue.recover()
    web = PublicWeb(trusted=[civitai.url], service="civitai", proxies=dict)

    async def sleep(pause_s: float) -> None:
        pauses_s.append(pause_s)

    async def sleep_inside(_: float) -> None:
        """Between tries of one run."""

    async def note(path: Path, _: dict[str, Any]) -> None:
        finished.append(path.name)

    async with web_session() as session, web.session() as file_session:
        client = CivitaiClient(
            session, api_bases=[civitai.url], api_key=API_KEY, sleep=sleep_inside
        )
        files = CivitaiFiles(
            file_session, web, api_bases=[civitai.url], api_key=API_KEY, silence_s=0.5
        )
        async with client.open():
            folder = ModelFolder(root)
            transfer = Transfer(files, sleep=sleep_inside, disk_usage=disk_usage)
            hashes = FileHashes(folder)
            duplicates = Duplicates(folder, hashes)
            handler = DownloadHandler(
                transfer,
                folder,
                hashes,
                duplicates,
                queue=queue,
                events=events,
                finished=note,
                sleep=sleep,
            )
            options: dict[str, Any] = {"supports_flux": False, "allow_pickle": False}
            downloads = Downloads(
                client,
                folder,
                duplicates,
                transfer,
                handler=handler,
                queue=queue,
                events=events,
                **options | changes,
            )
            worker = Worker(
                queue,
                events,
                Lane.DOWNLOAD,
                {JobKind.DOWNLOAD: handler},
                ready=handler.wait_ready,
                at_once=2,
                gives_way=True,
            )
            yield Shop(civitai, root, queue, downloads, handler, worker, events, pauses_s, finished)
            await hashes.close()
