"""From a job to the request that Forge gets: one way for each kind of job."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.clients.forge import ForgeClient, Generated
from app.clients.forge_http import ForgeBroken
from app.clients.forge_lists import ForgeLists
from app.errors import NotFound
from app.generation.first_pass import FirstPass
from app.generation.forge_run import ForgeRequest, task_id_of
from app.generation.gallery import Gallery
from app.generation.input_images import InputImages
from app.generation.parameters import DrawingParameters, Img2ImgParameters, Txt2ImgParameters
from app.generation.payload import HIRES_DENOISING_STRENGTH, img2img_payload, txt2img_payload
from app.jobs.models import Job


@dataclass(frozen=True)
class Prepared:
    """A job that can run: its parameters as Forge names them, and what makes the request of it."""

    parameters: DrawingParameters
    request: Callable[[], Awaitable[ForgeRequest]]


class Preparing(Protocol):
    """Knows one kind of job."""

    def prepare(self, job: Job, lists: ForgeLists) -> Prepared:
        """Looks names up again: lists change, and may have been unknown when the job came.

        Raises `InvalidInput`.
        """


class Txt2Img:
    """Pictures from a prompt, and upscales of finished pictures."""

    def __init__(
        self, forge: ForgeClient, first_pass: FirstPass, gallery: Gallery, *, max_pixels: int
    ):
        self._forge = forge
        self._first_pass = first_pass
        self._gallery = gallery
        self._max_pixels = max_pixels

    def prepare(self, job: Job, lists: ForgeLists) -> Prepared:
        """See `Preparing`."""
        stored = Txt2ImgParameters.model_validate(job.parameters)
        checked = stored.checked(lists, max_pixels=self._max_pixels)
        upscaler = lists.upscaler(checked.upscaler_name)
        parameters = checked.model_copy(update={"upscaler_name": upscaler})
        return Prepared(parameters, lambda: self._request(job, parameters, lists))

    async def _request(
        self, job: Job, parameters: Txt2ImgParameters, lists: ForgeLists
    ) -> ForgeRequest:
        repeats = parameters.first_pass is None or parameters.first_pass_repeats is not False
        picture = None
        if parameters.first_pass is not None and not (self._first_pass.is_refused and repeats):
            picture = await self._gallery.rgb_png_of(parameters.first_pass)
            if picture is None and not repeats:
                raise NotFound("The picture to upscale is not there any more.")
        if picture is not None and self._first_pass.is_refused:
            return await asyncio.to_thread(self._enlarging, job, parameters, lists, picture)
        make = functools.partial(
            txt2img_payload,
            parameters,
            task_id=task_id_of(job, job.runs),
            upscaler=parameters.upscaler_name,
            has_modules=lists.has_modules,
            firstpass_image=picture,
        )
        payload = make() if picture is None else await asyncio.to_thread(make)
        return lambda: self._send(payload)

    async def _send(self, payload: Mapping[str, Any]) -> Generated:
        try:
            return await self._forge.txt2img(payload)
        except ForgeBroken as error:
            if "firstpass_image" in payload and (refused := self._first_pass.refused(error)):
                raise refused from error
            raise

    def _enlarging(
        self, job: Job, parameters: Txt2ImgParameters, lists: ForgeLists, picture: bytes
    ) -> ForgeRequest:
        """For a Forge without our patch, when the first pass would give another picture."""
        strength = parameters.denoising_strength or HIRES_DENOISING_STRENGTH
        payload = img2img_payload(
            parameters.model_copy(
                update={
                    "width": 2 * parameters.width,
                    "height": 2 * parameters.height,
                    "denoising_strength": strength,
                }
            ),
            task_id=task_id_of(job, job.runs),
            init_image=picture,
            has_modules=lists.has_modules,
        )
        return lambda: self._forge.img2img(payload)


class Img2Img:
    """Pictures from a picture."""

    def __init__(self, forge: ForgeClient, inputs: InputImages, *, max_pixels: int):
        self._forge = forge
        self._inputs = inputs
        self._max_pixels = max_pixels

    def prepare(self, job: Job, lists: ForgeLists) -> Prepared:
        """See `Preparing`. Its request raises `InputGone`."""
        stored = Img2ImgParameters.model_validate(job.parameters)
        parameters = stored.checked(lists, max_pixels=self._max_pixels)
        return Prepared(parameters, lambda: self._request(job, parameters, lists))

    async def _request(
        self, job: Job, parameters: Img2ImgParameters, lists: ForgeLists
    ) -> ForgeRequest:
        init_image, mask = await self._inputs.read(job.id, has_mask=parameters.has_mask)
        payload = await asyncio.to_thread(
            img2img_payload,
            parameters,
            task_id=task_id_of(job, job.runs),
            init_image=init_image,
            mask=mask,
            has_modules=lists.has_modules,
        )
        return lambda: self._forge.img2img(payload)
