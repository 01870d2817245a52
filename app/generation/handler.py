"""Sees one generation job through: sends it to Forge, watches it, stores the picture."""

import contextlib
import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from app.clients.forge import ForgeClient, Generated
from app.clients.forge_health import ForgeHealth
from app.clients.forge_lists import ForgeLists
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.events import CheckpointChanged, EventBus, JobFinished
from app.generation.checkpoint import Loaded, loaded_in
from app.generation.first_pass import FirstPassRefused
from app.generation.forge_run import ForgeRuns, GenerationLimits, stop_if
from app.generation.images import ImageStore, StoredImage
from app.generation.infotext import parsed
from app.generation.models import Image
from app.generation.parameters import DrawingParameters
from app.generation.previews import Previews
from app.generation.records import ImageRecords
from app.generation.requests import Preparing
from app.jobs.models import Job, JobKind
from app.jobs.queue import JobQueue
from app.jobs.worker import Store

_LOADED_IS_FRESH_S = 1.0


class GenerationHandler:
    """Runs generation jobs of all kinds, one at a time, on one Forge."""

    def __init__(
        self,
        *,
        forge: ForgeClient,
        health: ForgeHealth,
        lists: Callable[[], ForgeLists],
        kinds: Mapping[JobKind, Preparing],
        queue: JobQueue,
        images: ImageStore,
        records: ImageRecords,
        previews: Previews,
        events: EventBus,
        limits: GenerationLimits,
    ):
        self._forge = forge
        self._health = health
        self._lists = lists
        self._kinds = kinds
        self._queue = queue
        self._images = images
        self._records = records
        self._events = events
        self._runs = ForgeRuns(forge, health, events, previews, limits)
        self._loaded: Loaded | None = None
        self._loaded_seen_s = -_LOADED_IS_FRESH_S

    async def run(self, job: Job) -> Store:
        """Makes the picture; gives what stores it (see `Handler.run`)."""
        lists = self._lists()
        prepared = self._kinds[job.kind].prepare(job, lists)
        parameters = prepared.parameters
        job.parameters = parameters.model_dump(exclude_none=True)
        cancelled = self._queue.cancellation(job.id)
        try:
            await self._runs.settle_earlier(job, cancelled)
            await self._announce_switch(job, parameters)
            request = await prepared.request()
            generated = await self._runs.generate(job, request, cancelled)
        except FirstPassRefused:
            raise
        except (UpstreamFailed, UpstreamUnavailable) as error:
            self._loaded_seen_s = -_LOADED_IS_FRESH_S
            self._runs.forget_mode()
            self._health.report_trouble(error.message)
            raise
        self._loaded = Loaded(parameters.model_name, tuple(parameters.modules or ()))
        self._loaded_seen_s = time.monotonic()
        self._health.report_success()
        if not generated.images:
            stop_if(cancelled)
            raise UpstreamFailed("Forge returned no picture.", service="forge")
        return functools.partial(self._store, job, parameters, generated)

    async def _announce_switch(self, job: Job, parameters: DrawingParameters) -> None:
        wanted = Loaded(parameters.model_name, tuple(parameters.modules or ()))
        if time.monotonic() - self._loaded_seen_s > _LOADED_IS_FRESH_S:
            # Somebody may have loaded another one in Forge's own page. When the options cannot be
            # read (a wrong-typed one makes Forge answer 500) the last one known has to do.
            with contextlib.suppress(UpstreamFailed):
                self._loaded = await self._look_what_is_loaded()
        if self._loaded != wanted:
            self._events.publish(CheckpointChanged(job.snapshot(), parameters.model_name))

    async def _look_what_is_loaded(self) -> Loaded | None:
        options, lists = await self._forge.options(), self._lists()
        sha256 = options.get("sd_checkpoint_hash")
        if sha256 and all(item.get("sha256") != sha256 for item in lists.checkpoints):
            # Forge learns a hash by loading: our lists may be from before that.
            lists = replace(lists, checkpoints=await self._forge.checkpoints())
        return loaded_in(options, lists)

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
