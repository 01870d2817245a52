"""Builds what tests of jobs and generation start from: users, jobs, a workshop with a Forge.

A workshop joins the real parts as `bootstrap` does, without the web, on the database that is open.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from app.accounts.models import User
from app.accounts.roles import Approval, Role
from app.clients.forge import ForgeClient
from app.clients.forge_health import ForgeHealth
from app.events import Event, EventBus, JobEvent
from app.generation.first_pass import FirstPass
from app.generation.forge_run import GenerationLimits
from app.generation.gallery import Gallery
from app.generation.handler import GenerationHandler
from app.generation.images import ImageStore
from app.generation.input_images import InputImages
from app.generation.loaded_checkpoint import LoadedCheckpoint
from app.generation.parameters import Txt2ImgRequest
from app.generation.picture_counts import PictureCounts
from app.generation.previews import Previews
from app.generation.records import ImageRecords
from app.generation.requests import Img2Img, Preparing, Txt2Img
from app.generation.stored_pictures import StoredPictures
from app.generation.unloading import Unloading
from app.jobs.allowance import Allowance
from app.jobs.models import Job, JobKind, JobStatus, Lane
from app.jobs.pause import Pauses
from app.jobs.queue import JobQueue
from app.jobs.worker import Worker
from app.library.catalogue import Catalogue
from app.simulator import SimulatorOptions
from app.simulator import loader as simulated
from app.simulator.catalogue import Checkpoint, Module
from tests.waiting import LIMIT_S, until

OWNER = "100000000000000001"
STRANGER = "100000000000000002"
CHECKPOINT = "dreamModel_v1"
OTHER_CHECKPOINT = "paintModel_v2"
ORIGIN = "127.0.0.1"
MAX_PIXELS = 3_686_400
ENDED = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)
# 40 steps, as `make_parameters` asks for, take 0.4 s.
WORKING = SimulatorOptions(step_time_s=0.01, checkpoint_load_time_s=0.02, draw=False)
# For tests that take their time and in which the database plays no part.
ON_SQLITE_ONLY = pytest.mark.parametrize("new_database_location", ["sqlite"], indirect=True)


async def make_user(user_id: str = OWNER, *, role: Role = Role.APPRENTICE) -> User:
    """A user who is let in."""
    return await User.create(id=user_id, name="someone", role=role, approval=Approval.APPROVED)


def make_queue(
    events: EventBus | None = None,
    *,
    max_queued_per_user: int = 100,
    max_queued_bytes_per_user: int = 1000,
    max_attempts: int = 3,
    pauses: Pauses | None = None,
) -> JobQueue:
    """A queue on the database that is open; `recover` was not called yet."""
    return JobQueue(
        events or EventBus(),
        allowance=Allowance(max_jobs=max_queued_per_user, max_bytes=max_queued_bytes_per_user),
        max_attempts=max_attempts,
        pauses=pauses,
    )


async def make_job(
    queue: JobQueue, *, owner_id: str = OWNER, job_id: str | None = None, **parameters: Any
) -> Job:
    """A job that waits at the end of the queue."""
    accepted = await queue.submit(
        JobKind.TXT2IMG,
        make_parameters(**parameters),
        owner_id=owner_id,
        origin=ORIGIN,
        job_id=job_id,
    )
    return accepted.job


async def claimed(queue: JobQueue) -> Job:
    """The next job, which is there."""
    job = await queue.claim(Lane.GENERATION)
    assert job is not None
    return job


async def claimed_ids(queue: JobQueue) -> list[str]:
    """Claims until nothing waits."""
    ids = []
    while (job := await queue.claim(Lane.GENERATION)) is not None:
        ids.append(job.id)
    return ids


def make_parameters(**parameters: Any) -> dict[str, Any]:
    """Stored parameters of a small job."""
    asked = {"model_name": CHECKPOINT, "prompt": "a fox", "width": 64, "height": 64, "steps": 40}
    return Txt2ImgRequest.model_validate(asked | parameters).model_dump(exclude_none=True)


def make_catalogue() -> simulated.Catalogue:
    """What is installed at a simulated Forge."""
    return simulated.Catalogue(
        checkpoints=[
            Checkpoint(f"{name}.safetensors", hashed=True)
            for name in (CHECKPOINT, OTHER_CHECKPOINT)
        ],
        modules=[Module("ae.safetensors"), Module("clip_l.safetensors", "text_encoder")],
    )


@dataclass
class Workshop:
    """Queue, worker and handler, joined to a Forge; what happened is kept in order."""

    folder: Path
    forge: ForgeClient
    health: ForgeHealth
    catalogue: Catalogue
    queue: JobQueue
    images: ImageStore
    inputs: InputImages
    first_pass: FirstPass
    previews: Previews
    pauses: Pauses
    unloading: Unloading
    loaded: LoadedCheckpoint
    _heard: asyncio.Queue[Event]
    _events: list[JobEvent] = field(default_factory=list)

    @property
    def events(self) -> list[JobEvent]:
        """Everything that was published since the workshop opened."""
        while not self._heard.empty():
            event = self._heard.get_nowait()
            if isinstance(event, JobEvent):
                self._events.append(event)
        return self._events

    def names(self, job_id: str) -> list[str]:
        """What happened to the job, in order, progress left out."""
        names = [type(event).__name__ for event in self.events if event.job.id == job_id]
        return [name for name in names if name != "JobProgressed"]

    async def submit(self, **parameters: Any) -> Job:
        """A job of the owner's that waits."""
        return await make_job(self.queue, **parameters)

    async def ended(self, job: Job, timeout_s: float = LIMIT_S) -> Job:
        """The job as it is once it has ended."""
        await until(lambda: Job.exists(id=job.id, status__in=ENDED), timeout_s)
        return await Job.get(id=job.id)

    async def has_status(self, job: Job, status: JobStatus) -> None:
        """Returns when the job has this status."""
        await until(lambda: Job.exists(id=job.id, status=status))

    async def is_sampling(self, steps: int = 1) -> None:
        """Returns when so many steps of whatever runs are done."""

        async def enough() -> bool:
            return (await self.forge.progress()).step >= steps

        await until(enough)


@contextlib.asynccontextmanager
async def workshop(
    folder: Path,
    url: str,
    *,
    stall_s: float = 60.0,
    load_s: float = 60.0,
    max_queued_per_user: int = 100,
    auth: str | None = None,
    idle_patience_s: float = 60.0,
) -> AsyncIterator[Workshop]:
    """Opens everything in the order of `bootstrap`; at the end it stops as at a shutdown.

    `url` is where Forge is or will be.
    """
    events = EventBus()
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        forge = ForgeClient(session, api_url=f"{url}/sdapi/v1", root_url=url, auth=auth)
        pauses = Pauses(events)
        await pauses.load()
        queue = make_queue(events, max_queued_per_user=max_queued_per_user, pauses=pauses)
        await queue.recover()
        images = ImageStore(folder / "images")
        images.prepare()
        inputs = InputImages(folder / "inputs")
        inputs.prepare()
        catalogue = Catalogue(forge, events)
        health = ForgeHealth(forge, on_ready=catalogue.refresh, retry_interval_s=0.02)
        previews = Previews()
        counts = PictureCounts()
        gallery = Gallery(images, StoredPictures(), previews, counts)
        first_pass = FirstPass()
        kinds: dict[JobKind, Preparing] = {
            JobKind.TXT2IMG: Txt2Img(forge, first_pass, gallery, max_pixels=MAX_PIXELS),
            JobKind.IMG2IMG: Img2Img(forge, inputs, max_pixels=MAX_PIXELS),
        }
        loaded = LoadedCheckpoint(forge, health, lambda: catalogue.lists)
        unloading = Unloading(
            forge, queue, pauses, loaded, look_s=0.02, idle_patience_s=idle_patience_s
        )
        handler = GenerationHandler(
            forge=forge,
            health=health,
            lists=lambda: catalogue.lists,
            loaded=loaded,
            kinds=kinds,
            queue=queue,
            images=images,
            records=ImageRecords(queue, counts),
            previews=previews,
            events=events,
            limits=GenerationLimits(0.02, stall_s=stall_s, load_s=load_s),
        )
        worker = Worker(
            queue, events, Lane.GENERATION, dict.fromkeys(kinds, handler), ready=health.wait_ready
        )
        heard = await stack.enter_async_context(events.subscribed())
        await stack.enter_async_context(health.watched())
        await stack.enter_async_context(pauses.kept())
        await stack.enter_async_context(unloading.working())
        await stack.enter_async_context(worker.working())
        yield Workshop(
            folder,
            forge,
            health,
            catalogue,
            queue,
            images,
            inputs,
            first_pass,
            previews,
            pauses,
            unloading,
            loaded,
            heard,
        )
