"""Downloads and their events as clients know them."""

from typing import Any

from app.events import (
    DownloadFinished,
    DownloadProgressed,
    JobEvent,
    JobFailed,
    JobInterrupted,
    JobStarted,
)
from app.jobs.models import Job
from app.library.download_handler import DownloadProgress
from app.web.moments import moment


def download_event(happened: JobEvent) -> tuple[str, dict[str, Any]]:
    """Name and payload of the socket.io event that tells of a download."""
    parameters = happened.job.parameters
    told = {
        "job_id": happened.job.id,
        "model_version_id": parameters.get("model_version_id"),
        "name": parameters.get("name"),
        "kind": parameters.get("model_kind"),
        "file_name": parameters.get("file_name"),
    }
    match happened:
        case JobStarted():
            return "download-started", told | {"size_bytes": parameters.get("size_bytes")}
        case DownloadProgressed():
            return "download-progress", told | {
                "received_bytes": happened.received_bytes,
                "size_bytes": happened.size_bytes,
                "fraction": happened.fraction,
                "eta_s": None if happened.eta_s is None else round(happened.eta_s, 1),
            }
        case DownloadFinished(file_name=file_name):
            return "download-finished", told | {"file_name": file_name}
        case JobFailed(reason=reason):
            return "download-failed", told | {"error": reason}
        case JobInterrupted():
            return "download-interrupted", told
    raise TypeError(f"no client knows of {type(happened).__name__}")


def download(job: Job, progress: DownloadProgress | None) -> dict[str, Any]:
    """A download, as an answer."""
    stored = job.parameters
    size_bytes = stored.get("size_bytes")
    if progress is not None and progress.size_bytes is not None:
        size_bytes = progress.size_bytes
    return {
        "job_id": job.id,
        "model_version_id": stored.get("model_version_id", 0),
        "name": stored.get("name", ""),
        "kind": stored.get("model_kind", ""),
        "file_name": stored.get("file_name", ""),
        "status": job.status.value,
        "owner_id": job.owner_id,
        "received_bytes": progress and progress.received_bytes,
        "size_bytes": size_bytes,
        "fraction": progress and progress.fraction,
        "eta_s": progress and progress.eta_s,
        "attempts": job.attempts,
        "error": job.error,
        "created_at": moment(job.created_at),
        "finished_at": moment(job.finished_at),
    }
