"""Submitting, cancelling and retrying jobs."""

from typing import Any

from quart import Blueprint, request
from quart_schema import validate_request

from app.accounts.roles import Role
from app.errors import Conflict, Forbidden, InvalidInput, NotFound, TooMany
from app.generation.parameters import Txt2ImgRequest
from app.jobs.models import JobKind
from app.jobs.queue import Cancellation, Submitted
from app.web import wire
from app.web.access import caller, requires
from app.web.address import client_address
from app.web.answers import Done, QueuedTxt2Img
from app.web.documentation import answers, fails
from app.web.services import services

blueprint = Blueprint("queue", __name__)

_CANCELLED = {
    Cancellation.REMOVED: {"message": "Task removed!", "status": "removed"},
    Cancellation.INTERRUPTED: {"message": "Task interrupted!", "status": "interrupted"},
}


@blueprint.post("/api/queue/user/txt2img")
@requires(Role.APPRENTICE)
@validate_request(Txt2ImgRequest)
@answers(QueuedTxt2Img)
@fails(InvalidInput, Forbidden, Conflict, TooMany)
async def post_txt2img(data: Txt2ImgRequest) -> dict[str, Any]:
    """Queues a picture and answers with its job. Follow it over socket.io."""
    use = services()
    parameters = data.checked(use.catalogue.lists, max_pixels=use.max_pixels)
    await _check_category(parameters.categoryId)
    return _answer(
        await use.queue.submit(
            JobKind.TXT2IMG,
            parameters.model_dump(exclude_none=True),
            owner_id=caller().user_id,
            origin=client_address(request.scope, use.trusted_proxies),  # type: ignore[arg-type]
            job_id=data.job_id,
        )
    )


@blueprint.post("/api/queue/interrupt/<job_id>")
@requires(Role.APPRENTICE)
@answers(Done)
@fails(NotFound)
async def post_interrupt(job_id: str) -> dict[str, str]:
    """Removes a waiting job of the caller's, or stops a running one."""
    done = await services().queue.cancel(
        job_id, caller_id=caller().user_id, is_administrator=caller().is_administrator
    )
    return _CANCELLED[done]


@blueprint.post("/api/queue/retry/<job_id>")
@requires(Role.APPRENTICE)
@answers(QueuedTxt2Img)
@fails(NotFound, Conflict, TooMany)
async def post_retry(job_id: str) -> dict[str, Any]:
    """Queues a failed job of the caller's again, at the end of the queue."""
    return _answer(
        await services().queue.retry(
            job_id, caller_id=caller().user_id, is_administrator=caller().is_administrator
        )
    )


async def _check_category(category_id: int | None) -> None:
    if category_id is None:
        return
    if not await services().gallery.owns_category(caller().user_id, category_id):
        raise Forbidden("Category does not exist or you do not own it", code="CATEGORY_NOT_FOUND")


def _answer(submitted: Submitted) -> dict[str, Any]:
    """The job; while Forge is away also `waiting_reason`, a sentence that says so."""
    answer = wire.submitted(submitted.job.snapshot(), submitted.queue_size)
    if (reason := services().health.waiting_reason) is not None:
        answer["waiting_reason"] = reason
    return answer
