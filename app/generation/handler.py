"""Sees one generation job through: sends it to Forge, watches it, stores the picture."""

import functools
from collections.abc import Callable, Mapping

from app.clients.forge import ForgeClient, Generated
from app.clients.forge_health import ForgeHealth
from app.clients.forge_lists import ForgeLists
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.events import CheckpointChanged, EventBus, JobFinished
from app.generation.checkpoint import Loaded
from app.generation.first_pass import FirstPassRefused
from app.generation.forge_run import ForgeRuns, GenerationLimits, stop_if
from app.generation.images import ImageStore, StoredImage
from app.generation.infotext import parsed
from app.generation.loaded_checkpoint import LoadedCheckpoint
from app.generation.models import Image
from app.generation.parameters import DrawingParameters
from app.generation.previews import Previews
from app.generation.records import ImageRecords
from app.generation.requests import Preparing
from app.jobs.models import Job, JobKind
from app.jobs.queue import JobQueue
from app.jobs.worker import Store


class GenerationHandler:
    """Runs generation jobs of all kinds, one at a time, on one Forge."""

    def __init__(
        self,
        *,
        forge: ForgeClient,
        health: ForgeHealth,
        lists: Callable[[], ForgeLists],
        loaded: LoadedCheckpoint,
        kinds: Mapping[JobKind, Preparing],
        queue: JobQueue,
        images: ImageStore,
        records: ImageRecords,
        previews: Previews,
        events: EventBus,
        limits: GenerationLimits,
    ):
        self._health = health
        self._lists = lists
        self._loaded = loaded
        self._kinds = kinds
        self._queue = queue
        self._images = images
        self._records = records
        self._events = events
        self._runs = ForgeRuns(forge, health, events, previews, limits)

    async def run(self, job: Job) -> Store:
        """Makes the picture; gives what stores it (see `Handler.run`)."""
        lists = self._lists()
        prepared = self._kinds[job.kind].prepare(job, lists)
        parameters = prepared.parameters
        wanted = Loaded(parameters.model_name, tuple(parameters.modules or ()))
        job.parameters = parameters.model_dump(exclude_none=True)
        cancelled = self._queue.cancellation(job.id)
        try:
            await self._runs.settle_earlier(job, cancelled)
            await self._announce_switch(job, wanted)
            request = await prepared.request()
            generated = await self._runs.generate(job, request, cancelled)
        except FirstPassRefused:
            raise
        except (UpstreamFailed, UpstreamUnavailable) as error:
            self._loaded.doubt()
            self._runs.forget_mode()
            self._health.report_trouble(error.message)
            raise
        self._loaded.drew(wanted)
        self._health.report_success(_version(generated))
        if not generated.images:
            stop_if(cancelled)
            raise UpstreamFailed("Forge returned no picture.", service="forge")
        return functools.partial(self._store, job, parameters, generated)

    async def _announce_switch(self, job: Job, wanted: Loaded) -> None:
        if await self._loaded.differs_from(wanted):
            self._events.publish(CheckpointChanged(job.snapshot(), wanted.checkpoint))

    async def _store(self, job: Job, parameters: DrawingParameters, generated: Generated) -> None:
        """The file, then the row, then the event."""
        stored = await self._images.save(job.id, generated.images[0])
        infotext = _infotext(generated)
        image = _row(job, stored, infotext)
        image.parameters = parsed(infotext) | {"distilled_cfg": parameters.distilled_cfg}
        await self._records.add(image, job)
        seed = generated.info.get("seed")
        self._events.publish(
            JobFinished(job.snapshot(), seed=seed if isinstance(seed, int) else None)
        )


def _version(generated: Generated) -> str | None:
    version = generated.info.get("version")
    return version if isinstance(version, str) else None


def _infotext(generated: Generated) -> str:
    texts = generated.info.get("infotexts")
    first = texts[0] if isinstance(texts, list) and texts else ""
    return first.replace("\0", "") if isinstance(first, str) else ""


def _row(job: Job, stored: StoredImage, infotext: str) -> Image:
    return Image(
        id=job.id,
        owner_id=job.owner_id,
        file_name=stored.file_name,
        media_type=stored.media_type,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        width=stored.width,
        height=stored.height,
        infotext=infotext,
        category_id=job.parameters.get("categoryId"),
    )
