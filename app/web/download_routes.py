"""Downloading models from CivitAI: as clients always did, waiting for the end, and as jobs."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field
from quart import Blueprint, request
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, validate_request

from app.accounts.roles import Role
from app.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    TooMany,
    UpstreamFailed,
    UpstreamUnavailable,
)
from app.jobs.models import Job, JobStatus
from app.library.download_handler import DownloadFailed
from app.library.download_plan import UnsafeFile, UnsupportedModel
from app.library.downloads import ACTIVE, ServerStopping
from app.library.duplicates import ALREADY, AlreadyDownloaded
from app.library.model_folder import ModelFolderMissing
from app.library.transfer import LowStorage
from app.web.access import caller, requires
from app.web.address import client_address
from app.web.answers import Message
from app.web.documentation import answers, fails
from app.web.download_answers import DownloadList, DownloadTold
from app.web.download_wire import download
from app.web.services import services

blueprint = Blueprint("downloads", __name__)

PATIENCE_S = 600.0
_LOOK_AGAIN_S = 30.0
_REFUSALS = (
    AlreadyDownloaded,
    InvalidInput,
    LowStorage,
    ModelFolderMissing,
    NotFound,
    TooMany,
    UnsafeFile,
    UnsupportedModel,
    UpstreamFailed,
    UpstreamUnavailable,
)


class DownloadRequest(BaseModel):
    """`model_version_id` is CivitAI's id of a version of a model."""

    model_version_id: Annotated[int, Field(ge=1, lt=10**15)]


@dataclass
class DownloadsQuery:
    """`all` is `true` for everybody's, which administrators may see."""

    all: str = ""


@blueprint.get("/3papi/civitai/download/<version_id>")
@requires(Role.ARTIFICER)
@answers(Message)
@fails(*_REFUSALS, DownloadFailed, Conflict, ServerStopping)
async def get_download(version_id: str) -> Message:
    """Downloads a version of a model, and answers when it is there.

    Who goes away does not stop it. While CivitAI does not answer, it goes on by itself, and this
    says so after ten minutes. `POST /api/downloads` answers at once.
    """
    if request.method == "HEAD":
        return {"message": "GET downloads the model."}
    job, _ = await _submit(version_id)
    patience_s = PATIENCE_S
    while True:
        job = await services().downloads.ended(job.id, patience_s=patience_s)
        if job.status not in ACTIVE:
            break
        if job.error is not None:
            raise UpstreamUnavailable(
                f"{job.error.rstrip('.')}. The download goes on by itself when it can.",
                service="civitai",
            )
        patience_s = _LOOK_AGAIN_S  # it may be trying just now
    if job.status == JobStatus.CANCELLED:
        raise Conflict("The download was cancelled.", code="DOWNLOAD_CANCELLED")
    if job.status == JobStatus.FAILED:
        if job.error == ALREADY:
            raise AlreadyDownloaded(ALREADY)
        raise DownloadFailed(job.error or "The download failed.")
    return {"message": "Model downloaded"}


@blueprint.post("/api/downloads")
@requires(Role.ARTIFICER)
@validate_request(DownloadRequest)
@answers(DownloadTold, status=202, description="A new download, which waits.")
@answers(DownloadTold, description="The caller asked for this file already: the same download.")
@fails(*_REFUSALS)
async def post_download(data: DownloadRequest) -> ResponseReturnValue:
    """Downloads a version of a model. Follow it over socket.io, or ask for `/api/downloads`.

    `POST /api/queue/interrupt/<job_id>` stops it, `POST /api/queue/retry/<job_id>` takes up a
    failed one.
    """
    job, is_new = await _submit(data.model_version_id)
    return _told(job), 202 if is_new else 200


@blueprint.get("/api/downloads")
@requires(Role.APPRENTICE)
@document_querystring(DownloadsQuery)
@answers(DownloadList)
async def get_downloads() -> dict[str, Any]:
    """The caller's downloads; with `?all=true` everybody's, for administrators."""
    sees_all = request.args.get("all") == "true" and caller().is_administrator
    jobs = await services().downloads.listed(None if sees_all else caller().user_id)
    return {"downloads": [_told(job) for job in jobs]}


def _told(job: Job) -> dict[str, Any]:
    return download(job, services().downloads.progress_of(job.id))


async def _submit(version_id: object) -> tuple[Job, bool]:
    caller().require_account()
    address = client_address(request.scope, services().trusted_proxies)  # type: ignore[arg-type]
    return await services().downloads.submit(version_id, owner_id=caller().user_id, origin=address)
