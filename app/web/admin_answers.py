"""Shapes of answers for administrators, for the API's description. Nothing is checked by them."""

from typing_extensions import TypedDict


class GpuTold(TypedDict):
    """The GPU's memory in bytes; `allocated_bytes` is what Forge itself holds in use."""

    free_bytes: int
    total_bytes: int
    allocated_bytes: int


class FreeingTold(TypedDict):
    """Freeing the GPU: `state` is `freeing`, `freed` or `failed`.

    `waits_for` says what must end before, `error` why it failed. `gpu` is what Forge reported
    afterwards, null when it cannot tell.
    """

    state: str
    waits_for: str | None
    error: str | None
    gpu: GpuTold | None


class PauseTold(TypedDict):
    """Whether jobs are started. `resumes_at` is when a pause ends by itself, null for not."""

    paused: bool
    paused_at: str | None
    resumes_at: str | None


class Freed(PauseTold):
    """The pause of the queue, and how far freeing the GPU is."""

    freeing: FreeingTold


class RunningJob(TypedDict):
    """A job that runs. `progress` is from 0 to 1, null while nothing is known of it."""

    job_id: str
    type: str
    owner_id: str
    started_at: str | None
    progress: float | None


class ForgeTold(TypedDict):
    """`status` is `ready` or `away`, `since` when it became so.

    `error` is why it is away, `last_error` what was wrong last. `checkpoint` and `modules` are
    what is loaded, null for nothing or unknown. `unloads_at` is when it is unloaded if nobody draws
    before; null when it is not, also while a job runs or waits. `unloaded_at` is when the GPU was
    freed, null when no run of ours was sent since. `restart_wanted` says why only a restart of
    Forge will help; null when none is needed.
    """

    status: str
    since: str | None
    error: str | None
    last_error: str | None
    checkpoint: str | None
    modules: list[str] | None
    unloads_at: str | None
    unloaded_at: str | None
    version: str | None
    restart_wanted: str | None


class QueueTold(PauseTold):
    """How many jobs wait, what runs, whether the queue is paused, whether the GPU gets freed."""

    waiting: int
    waiting_reason: str | None
    running: RunningJob | None
    freeing: FreeingTold | None


class FileThatCame(TypedDict):
    """A file that was downloaded since we started, for this job or also for others."""

    job_id: str
    file_name: str
    finished_at: str


class DownloadsTold(TypedDict):
    """How many downloads run and wait, and what came last, the newest at the end."""

    running: int
    waiting: int
    finished: list[FileThatCame]


class DiskTold(TypedDict):
    """The disk with the data folder, in bytes."""

    free_bytes: int
    total_bytes: int


class Versions(TypedDict):
    """What runs here: Navigator and where it comes from, Python, the system."""

    navigator: str
    branch: str
    commit: str
    python: str
    platform: str


class AdminStatus(TypedDict):
    """Everything at a glance. What cannot be told right now is null."""

    forge: ForgeTold
    queue: QueueTold
    downloads: DownloadsTold
    waiting_friends: int | None
    disk: DiskTold | None
    versions: Versions
    uptime_s: int
