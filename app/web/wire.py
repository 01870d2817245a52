"""Jobs and events as clients know them: names and shapes of the contract, sections 3.9 and 4."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from app.events import (
    CheckpointChanged,
    DiskLow,
    Event,
    JobEvent,
    JobFailed,
    JobFinished,
    JobInterrupted,
    JobProgressed,
    JobSnapshot,
    JobStarted,
    ModelsRefreshed,
    QueuePaused,
    QueueResumed,
    UserApproved,
    UserDenied,
    UserDisabled,
    UserEvent,
    UserForgotten,
    UserPending,
    UserRoleChanged,
    UserSignedOut,
)
from app.jobs.models import JobKind
from app.jobs.overview import Place
from app.web.download_wire import download_event

_NEVER_TOLD = ("first_pass", "first_pass_repeats", "has_mask")
_NOT_IN_EVENTS = ("prompt", "negative_prompt", "width", "height", *_NEVER_TOLD)
# The order in which clients have always seen them.
_SUBMITTED_FIRST = ("model_name", "prompt", "negative_prompt")
_SUBMITTED_MIDDLE = (
    "width",
    "height",
    "steps",
    "hrf_steps",
    "seed",
    "cfg_scale",
    "distilled_cfg",
    "sampler_name",
    "scheduler_name",
    "denoising_strength",
    "force_hr_fix",
)
_SUBMITTED_LAST = (
    "categoryId",
    "image_enhancements",
    "subseed",
    "subseed_strength",
    "upscaler_name",
    "modules",
)


def submitted(job: JobSnapshot, queue_size: int) -> dict[str, Any]:
    """The answer to a submission. `queue_size` counts the waiting jobs, this one included."""
    given = _shown(job)
    return (
        {"type": job.kind}
        | {name: given[name] for name in _SUBMITTED_FIRST if name in given}
        | {"owner_id": job.owner_id, "job_id": job.id}
        | {name: given[name] for name in _SUBMITTED_MIDDLE if name in given}
        | {"queue_size": queue_size, "task_type": job.kind, "status": "queued"}
        | {"origin": job.origin}
        | {name: given[name] for name in _SUBMITTED_LAST if name in given}
    )


def queued(place: Place) -> dict[str, Any]:
    """A job of `GET /api/queue`: `place` 0 runs, `eta` in seconds; null is unknown."""
    job = place.job
    told = {
        "job_id": job.id,
        "type": job.kind.value,
        "status": job.status.value,
        "place": place.place,
        "eta": None if place.eta_s is None else round(place.eta_s, 1),
        "created_at": job.created_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "attempts": job.attempts,
        "error": job.error,
    }
    shown = ("model_name", "prompt", "width", "height", "steps")
    return told | {name: job.parameters[name] for name in shown if name in job.parameters}


def event(happened: Event) -> tuple[str, dict[str, Any]]:
    """Name and payload of the socket.io event that tells of `happened`."""
    if isinstance(happened, ModelsRefreshed):
        return "models-refreshed", {"message": "Models have been refreshed!"}
    if isinstance(happened, UserEvent):
        return _user_event(happened)
    if isinstance(happened, QueuePaused):
        resumes_at = _time(happened.resumes_at_s)
        return "queue-paused", {"lane": happened.lane, "resumes_at": resumes_at}
    if isinstance(happened, QueueResumed):
        return "queue-resumed", {"lane": happened.lane}
    if isinstance(happened, DiskLow):
        sizes = {"free_bytes": happened.free_bytes, "total_bytes": happened.total_bytes}
        return "disk-low", sizes
    if not isinstance(happened, JobEvent):
        raise TypeError(f"no client knows of {type(happened).__name__}")
    job = happened.job
    if job.kind == JobKind.DOWNLOAD:
        return download_event(happened)
    match happened:
        case CheckpointChanged(checkpoint=checkpoint):
            return "model-changed", {"model_name": checkpoint, "job_id": job.id}
        case JobStarted():
            return "task-started", _told(job, "started")
        case JobProgressed():
            return "task-progress", _told(job, "processing") | {
                "progress": happened.fraction,
                "eta_relative": happened.eta_s,
                "current_step": happened.step,
                "total_steps": happened.steps,
                "progress_path": f"/api/previews/{job.id}",
            }
        case JobFinished(seed=seed):
            told = _told(job, "finished")
            if seed is not None:
                told["seed"] = seed
            return "task-finished", told | {"img_path": f"/api/images/{job.id}"}
        case JobFailed(reason=reason):
            return "task-failed", _told(job, "failed") | {"error": reason}
        case JobInterrupted():
            return "task-interrupted", _told(job, "processing")
    raise TypeError(f"no client knows of {type(happened).__name__}")


def _user_event(happened: UserEvent) -> tuple[str, dict[str, Any]]:
    user = {"user": asdict(happened.user)}
    match happened:
        case UserPending(address=address):
            return "user-pending", user | {"address": address}
        case UserApproved():
            return "user-approved", user
        case UserDenied():
            return "user-denied", user
        case UserDisabled():
            return "user-disabled", user
        case UserRoleChanged():
            return "user-role-changed", user
        case UserSignedOut():
            return "user-signed-out", user
        case UserForgotten():
            return "user-forgotten", user
    raise TypeError(f"no client knows of {type(happened).__name__}")


def _told(job: JobSnapshot, status: str) -> dict[str, Any]:
    told = {name: value for name, value in _shown(job).items() if name not in _NOT_IN_EVENTS}
    return (
        {"type": job.kind, "job_id": job.id}
        | told
        | {
            "task_type": job.kind,
            "status": status,
            "origin": job.origin,
        }
    )


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _shown(job: JobSnapshot) -> dict[str, Any]:
    """Upscales have always told their category, also that there is none [181]."""
    is_upscale = "first_pass" in job.parameters
    return ({"categoryId": None} if is_upscale else {}) | job.parameters
