"""All that the tray shows, frozen. Only data."""

from dataclasses import dataclass
from datetime import datetime

from launcher.service_state import ServiceSnapshot


@dataclass(frozen=True)
class Friend:
    """A user of Navigator's; `address` is where somebody who waits knocked from."""

    user_id: str
    name: str
    address: str | None = None


@dataclass(frozen=True)
class Queue:
    """The jobs. `running` is the id of the one that is drawn, `fraction` how far it is.

    `resumes_at` is when a pause ends by itself.
    """

    waiting: int = 0
    running: str | None = None
    fraction: float | None = None
    is_paused: bool = False
    resumes_at: datetime | None = None
    is_freeing: bool = False
    is_freed: bool = False


@dataclass(frozen=True)
class GpuMemory:
    """The memory of the GPU, in bytes. `before_bytes` is what was in use before it was freed."""

    used_bytes: int
    total_bytes: int
    before_bytes: int | None = None


@dataclass(frozen=True)
class Download:
    """A model file that came for this job."""

    job_id: str
    file_name: str


@dataclass(frozen=True)
class Sharing:
    """Whether others can reach Navigator. `addresses` are for them, the likeliest first.

    `problem` is why it does not work, `goes_back_at` when it ends unless somebody confirms it.
    `is_fixed`: the settings say so, and the switch has no say.
    """

    is_on: bool = False
    addresses: tuple[str, ...] = ()
    problem: str | None = None
    goes_back_at: datetime | None = None
    is_fixed: bool = False


@dataclass(frozen=True)
class View:
    """A moment.

    `queue` is None while Navigator does not answer, and so are `downloads`, those that came last;
    `checkpoint` is the one that Forge has loaded.
    """

    forge: ServiceSnapshot
    navigator: ServiceSnapshot
    queue: Queue | None = None
    checkpoint: str | None = None
    waiting: tuple[Friend, ...] = ()
    users: tuple[Friend, ...] = ()
    gpu: GpuMemory | None = None
    sharing: Sharing = Sharing()
    treatment: str | None = None
    starts_at_login: bool | None = None
    downloads: tuple[Download, ...] | None = None
