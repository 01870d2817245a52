"""Submitting, cancelling and retrying jobs."""

from pathlib import Path
from typing import Any

from quart import Blueprint, request
from quart_schema import document_request, validate_request

from app.accounts.audit import Action, note_if_possible
from app.accounts.roles import Role
from app.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NavigatorError,
    NotApproved,
    NotFound,
    TooMany,
    UpstreamUnavailable,
)
from app.generation.images import DiskFailed
from app.generation.input_images import InputGone
from app.generation.models import Image
from app.generation.parameters import (
    DrawingParameters,
    Img2ImgRequest,
    Txt2ImgRequest,
    UpscaleRequest,
)
from app.generation.upscale import upscale_of
from app.jobs.ids import new_job_id
from app.jobs.models import Job, JobKind, Lane
from app.jobs.overview import overview
from app.jobs.queue import Cancellation, Submitted
from app.web import wire
from app.web.access import act_for, actor, caller, public, requires
from app.web.address import client_address
from app.web.checkpoint_access import check_checkpoint, check_checkpoint_of
from app.web.documentation import answers, fails
from app.web.download_answers import DownloadTold
from app.web.download_wire import download
from app.web.job_answers import Done, QueuedImg2Img, QueuedTxt2Img, QueueOverview
from app.web.services import services

blueprint = Blueprint("queue", __name__)

_OWN_PICTURE = "NAVIGATOR_"

_CANCELLED = {
    Cancellation.REMOVED: {"message": "Task removed!", "status": "removed"},
    Cancellation.INTERRUPTED: {"message": "Task interrupted!", "status": "interrupted"},
}


class BotTxt2ImgRequest(Txt2ImgRequest):
    """A txt2img request for the user `owner_id`. Only described: see `_bot_request`."""

    owner_id: str


class BotImg2ImgRequest(Img2ImgRequest):
    """An img2img request for the user `owner_id`. Only described: see `_bot_request`."""

    owner_id: str


@blueprint.post("/api/queue/user/txt2img")
@requires(Role.APPRENTICE)
@validate_request(Txt2ImgRequest)
@answers(QueuedTxt2Img)
@fails(InvalidInput, Forbidden, Conflict, TooMany)
async def post_txt2img(data: Txt2ImgRequest) -> dict[str, Any]:
    """Queues a picture and answers with its job. Follow it over socket.io."""
    return await _queue_txt2img(data)


@blueprint.post("/api/queue/user/txt2img/upscale-hrf/<image_id>")
@requires(Role.APPRENTICE, owner_of="picture", or_administrator=True)
@validate_request(UpscaleRequest)
@answers(QueuedTxt2Img)
@fails(InvalidInput, TooMany)
async def post_upscale(image_id: str, data: UpscaleRequest) -> dict[str, Any]:
    """Queues a finished picture of the caller's at twice its width and height."""
    use = services()
    image = await _own_image(image_id)
    parameters = upscale_of(image, data, use.catalogue.lists, max_pixels=use.max_pixels)
    await check_checkpoint(parameters.model_name)
    category_id = image.category_id
    if category_id is not None and await use.gallery.owns_category(caller().user_id, category_id):
        parameters.categoryId = category_id
    return _answer(await _submit(JobKind.TXT2IMG, parameters))


@blueprint.post("/api/queue/user/img2img")
@requires(Role.APPRENTICE)
@validate_request(Img2ImgRequest)
@answers(QueuedImg2Img)
@fails(InvalidInput, Forbidden, InputGone, TooMany, DiskFailed)
async def post_img2img(data: Img2ImgRequest) -> dict[str, Any]:
    """Queues a picture that is drawn from another one. Follow it over socket.io."""
    return await _queue_img2img(data)


@blueprint.post("/api/queue/txt2img")
@public
@document_request(BotTxt2ImgRequest)
@answers(QueuedTxt2Img)
@fails(InvalidInput, Forbidden, NotApproved, Conflict, TooMany, UpstreamUnavailable)
async def post_bot_txt2img() -> dict[str, Any]:
    """As for users, for the `owner_id` that a bot names; see `ALLOW_LEGACY_BOT_ENDPOINTS`."""
    return await _queue_txt2img(Txt2ImgRequest.model_validate(await _bot_request("txt2img")))


@blueprint.post("/api/queue/img2img")
@public
@document_request(BotImg2ImgRequest)
@answers(QueuedImg2Img)
@fails(InvalidInput, Forbidden, NotApproved, TooMany, UpstreamUnavailable, InputGone, DiskFailed)
async def post_bot_img2img() -> dict[str, Any]:
    """As for users, for the `owner_id` that a bot names; see `ALLOW_LEGACY_BOT_ENDPOINTS`."""
    return await _queue_img2img(Img2ImgRequest.model_validate(await _bot_request("img2img")))


@blueprint.get("/api/queue")
@requires(Role.APPRENTICE)
@answers(QueueOverview)
async def get_queue() -> dict[str, Any]:
    """The caller's jobs that run, wait, or failed lately: their place and the seconds to go."""
    found = await overview(caller().user_id, Lane.GENERATION)
    return {
        "jobs": [wire.queued(one) for one in found.jobs],
        "waiting": found.waiting,
        "waiting_reason": services().waiting_reason,
    }


@blueprint.post("/api/queue/interrupt/<job_id>")
@requires(Role.APPRENTICE, owner_of="job", or_administrator=True)
@answers(Done)
@fails(NotFound)
async def post_interrupt(job_id: str) -> dict[str, str]:
    """Removes a waiting job of the caller's, or stops a running one."""
    done = await services().queue.cancel(
        job_id, caller_id=caller().user_id, is_administrator=caller().is_administrator
    )
    if done is Cancellation.REMOVED:
        await services().inputs.remove(job_id)
        await services().downloads.discard(job_id)
    await _note_if_foreign(job_id, Action.CANCEL_JOB)
    return _CANCELLED[done]


@blueprint.post("/api/queue/retry/<job_id>")
@requires(Role.APPRENTICE, owner_of="job", or_administrator=True)
@answers(QueuedTxt2Img | QueuedImg2Img | DownloadTold, description="The job, which waits again.")
@fails(NotFound, Conflict, InputGone, TooMany)
async def post_retry(job_id: str) -> dict[str, Any]:
    """Queues a failed job of the caller's again, at the end of the queue."""
    submitted = await services().queue.retry(
        job_id,
        caller_id=caller().user_id,
        is_administrator=caller().is_administrator,
        check=_check_retry,
    )
    await _note_if_foreign(job_id, Action.RETRY_JOB)
    if submitted.job.kind == JobKind.DOWNLOAD:
        return download(submitted.job, None)
    return _answer(submitted)


async def _check_retry(job: Job) -> None:
    await check_checkpoint_of(job)
    await services().inputs.check(job)
    if job.kind == JobKind.DOWNLOAD:
        caller().require(Role.ARTIFICER)
        await services().downloads.check_retry(job)


async def _note_if_foreign(job_id: str, action: Action) -> None:
    """Writes down what an administrator does to somebody else's job."""
    if not caller().is_administrator:
        return
    job = await Job.get_or_none(id=job_id)
    if job is not None and job.owner_id != caller().user_id:
        await note_if_possible(actor(), action, job.owner_id, job=job_id)


async def _queue_txt2img(data: Txt2ImgRequest) -> dict[str, Any]:
    use = services()
    parameters = data.checked(use.catalogue.lists, max_pixels=use.max_pixels)
    await check_checkpoint(parameters.model_name)
    await _check_category(parameters.categoryId)
    if data.job_id is not None and await use.gallery.find(data.job_id) is not None:
        raise Conflict(f"job_id: there is a picture named {data.job_id} already.")
    return _answer(await _submit(JobKind.TXT2IMG, parameters, job_id=data.job_id))


async def _queue_img2img(data: Img2ImgRequest) -> dict[str, Any]:
    use = services()
    parameters = data.checked(use.catalogue.lists, max_pixels=use.max_pixels)
    await check_checkpoint(parameters.model_name)
    await _check_category(parameters.categoryId)
    use.queue.check_room(caller().user_id)  # before anything is decoded for nothing
    init_image = await _init_image(data.init_image)
    job_id = new_job_id()
    input_bytes = await use.inputs.save(job_id, init_image, data.mask)
    try:
        return _answer(
            await _submit(JobKind.IMG2IMG, parameters, job_id=job_id, input_bytes=input_bytes)
        )
    except NavigatorError:
        await use.inputs.remove(job_id)
        raise


async def _bot_request(kind: str) -> dict[str, Any]:
    """The body, once it is clear that a bot may act, and for whom."""
    bots = services().legacy_bots
    bots.check(_origin(), instead=f"/api/queue/user/{kind}")
    if "Origin" in request.headers:  # a page in a browser of this machine is no bot
        raise Forbidden("Bots may not call from web pages.", code="ORIGIN_NOT_ALLOWED")
    body: dict[str, Any] = await request.get_json()
    act_for(await bots.owner(body.get("owner_id")))
    return body


def _origin() -> str:
    return client_address(request.scope, services().trusted_proxies)  # type: ignore[arg-type]


async def _submit(
    kind: JobKind,
    parameters: DrawingParameters,
    *,
    job_id: str | None = None,
    input_bytes: int | None = None,
) -> Submitted:
    caller().require_account()
    return await services().queue.submit(
        kind,
        parameters.model_dump(exclude_none=True),
        owner_id=caller().user_id,
        origin=_origin(),
        job_id=job_id,
        input_bytes=input_bytes,
    )


async def _own_image(image_id: str) -> Image:
    """The picture, if the caller may draw from it; somebody else's and missing ones look alike."""
    image = await services().gallery.find(image_id)
    if image is None or not caller().may_use(image.owner_id):
        raise InvalidInput("Job not found", code="JOB_NOT_FOUND")
    return image


async def _init_image(given: str) -> str | Path:
    """What the client sent, or the file of the picture of ours that it names."""
    if not given.startswith(_OWN_PICTURE):
        return given
    image = await _own_image(given.removeprefix(_OWN_PICTURE))
    return services().images.path(image.file_name)


async def _check_category(category_id: int | None) -> None:
    if category_id is None:
        return
    if not await services().gallery.owns_category(caller().user_id, category_id):
        raise Forbidden("Category does not exist or you do not own it", code="CATEGORY_NOT_FOUND")


def _answer(submitted: Submitted) -> dict[str, Any]:
    """The job; also `waiting_reason`, a sentence, while the queue is paused or Forge is away."""
    answer = wire.submitted(submitted.job.snapshot(), submitted.queue_size)
    if (reason := services().waiting_reason) is not None:
        answer["waiting_reason"] = reason
    return answer
