"""What administrators see at a glance, and the switches of the queue and of the GPU."""

import asyncio
import functools
import platform
import sqlite3
import time
from typing import Annotated, Any

from pydantic import BaseModel, Field
from quart import Blueprint
from quart_schema import validate_request
from tortoise.exceptions import BaseORMException

from app import __version__
from app.accounts.audit import Action, note_if_possible
from app.accounts.pending import count_pending
from app.accounts.roles import Role
from app.generation.parameter_types import Number
from app.generation.unloading import Freeing
from app.jobs.models import Lane
from app.jobs.pause import Pause
from app.web.access import actor, requires
from app.web.admin_answers import AdminStatus, Freed, PauseTold
from app.web.documentation import answers
from app.web.moments import moment
from app.web.services import Services, services

blueprint = Blueprint("administration", __name__)

_LANE = Lane.GENERATION
_MAX_MINUTES = 7 * 24 * 60


class PauseRequest(BaseModel):
    """`minutes` is after how long the queue goes on by itself; without it, when it is resumed."""

    minutes: Annotated[Number, Field(gt=0, le=_MAX_MINUTES)] | None = None

    @property
    def for_s(self) -> float | None:
        """The same in seconds."""
        return None if self.minutes is None else self.minutes * 60


@blueprint.get("/api/admin/status")
@requires(Role.ARCHITECT)
@answers(AdminStatus)
async def get_admin_status() -> dict[str, Any]:
    """Forge, the queue, downloads, how many wait to be let in, the disk, versions.

    Nobody waits for Forge.
    """
    use = services()
    disk = use.disk.last_seen
    return {
        "forge": _forge(use),
        "queue": _queue(use),
        "downloads": _downloads(use),
        "waiting_friends": await _waiting_friends(),
        "disk": disk and {"free_bytes": disk.free_bytes, "total_bytes": disk.total_bytes},
        "versions": await asyncio.to_thread(_versions, use),
        "uptime_s": int(time.monotonic() - use.started_s),
    }


@blueprint.post("/api/admin/queue/pause")
@requires(Role.ARCHITECT)
@validate_request(PauseRequest)
@answers(PauseTold)
async def post_queue_pause(data: PauseRequest) -> dict[str, Any]:
    """Starts no more jobs. The running one goes on, and new ones are accepted and wait."""
    pause = await services().pauses.pause(_LANE, for_s=data.for_s)
    await note_if_possible(actor(), Action.PAUSE_QUEUE, minutes=data.minutes)
    return _paused(pause)


@blueprint.post("/api/admin/queue/resume")
@requires(Role.ARCHITECT)
@answers(PauseTold)
async def post_queue_resume() -> dict[str, Any]:
    """Starts jobs again. This also ends freeing the GPU."""
    await services().pauses.resume(_LANE)
    await note_if_possible(actor(), Action.RESUME_QUEUE)
    return _paused(services().pauses.state(_LANE))


@blueprint.post("/api/admin/forge/unload")
@requires(Role.ARCHITECT)
@validate_request(PauseRequest)
@answers(Freed, status=202)
async def post_forge_unload(data: PauseRequest) -> tuple[dict[str, Any], int]:
    """Pauses the queue and frees the GPU as soon as the running job has ended.

    `GET /api/admin/status` tells how it goes on. The queue stays paused until it is resumed, or
    for `minutes`.
    """
    use = services()
    freeing = await use.unloading.free(for_s=data.for_s)
    await note_if_possible(actor(), Action.FREE_GPU, minutes=data.minutes)
    return _paused(use.pauses.state(_LANE)) | {"freeing": _freeing(freeing)}, 202


def _forge(use: Services) -> dict[str, Any]:
    health, loaded = use.health, use.loaded.last_known
    return {
        "status": "ready" if health.is_ready else "away",
        "since": moment(health.since),
        "error": health.reason,
        "last_error": health.last_trouble,
        "checkpoint": loaded and loaded.checkpoint,
        "modules": loaded and list(loaded.modules),
        "unloads_at": moment(use.idle_unload.unloads_at),
        "unloaded_at": moment(use.loaded.unloaded_at),
        "version": health.version,
        "restart_wanted": health.restart_wanted,
    }


def _queue(use: Services) -> dict[str, Any]:
    jobs, freeing = use.queue.running(_LANE), use.unloading.state
    running = None
    if jobs:
        job = jobs[-1]  # those before it are drawn, and being stored
        progress = use.progress.of(job.id)
        running = {
            "job_id": job.id,
            "type": job.kind.value,
            "owner_id": job.owner_id,
            "started_at": moment(job.started_at),
            "progress": progress and progress.fraction,
        }
    return _paused(use.pauses.state(_LANE)) | {
        "waiting": use.queue.waiting(_LANE),
        "waiting_reason": use.waiting_reason,
        "running": running,
        "freeing": freeing and _freeing(freeing),
    }


def _downloads(use: Services) -> dict[str, Any]:
    return {
        "running": len(use.queue.running(Lane.DOWNLOAD)),
        "waiting": use.queue.waiting(Lane.DOWNLOAD),
        "finished": [
            {
                "job_id": one.job_id,
                "file_name": one.file_name,
                "finished_at": moment(one.finished_at),
            }
            for one in use.finished_downloads.newest()
        ],
    }


def _paused(pause: Pause | None) -> dict[str, Any]:
    return {
        "paused": pause is not None,
        "paused_at": moment(pause.paused_at if pause else None),
        "resumes_at": moment(pause.resumes_at if pause else None),
    }


def _freeing(freeing: Freeing) -> dict[str, Any]:
    gpu = freeing.gpu
    return {
        "state": freeing.state.value,
        "waits_for": freeing.waits_for,
        "error": freeing.error,
        "gpu": gpu
        and {
            "free_bytes": gpu.free_bytes,
            "total_bytes": gpu.total_bytes,
            "allocated_bytes": gpu.allocated_bytes,
        },
    }


async def _waiting_friends() -> int | None:
    try:
        return await count_pending()
    except (BaseORMException, sqlite3.Error):
        return None  # the rest is worth more than an error


def _versions(use: Services) -> dict[str, Any]:
    """Blocks the first time."""
    build = use.build_info()
    return {
        "navigator": __version__,
        "branch": build.branch,
        "commit": build.commit,
        "python": platform.python_version(),
        "platform": _platform(),
    }


@functools.cache
def _platform() -> str:
    return platform.platform(terse=True)
