"""Shapes of answers about downloads, for the API's description. Nothing is checked by them."""

from typing_extensions import TypedDict


class DownloadTold(TypedDict):
    """A download. `received_bytes`, `fraction` (0 to 1) and `eta_s` are null while it does not run.

    `status` is `queued`, `running`, `succeeded`, `failed` or `cancelled`; `error` says why it
    failed, or why it waits.
    """

    job_id: str
    model_version_id: int
    name: str
    kind: str
    file_name: str
    status: str
    owner_id: str
    received_bytes: int | None
    size_bytes: int | None
    fraction: float | None
    eta_s: float | None
    attempts: int
    error: str | None
    created_at: str
    finished_at: str | None


class DownloadList(TypedDict):
    """Downloads that run, wait, or ended in the last 24 hours, the newest first."""

    downloads: list[DownloadTold]
