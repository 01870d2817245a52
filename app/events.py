"""What happens in the house, as values, and the bus that hands them to whoever listens.

The bus never waits for a listener and keeps the order. Who may hear an event is decided in `web`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """What an event tells of its job.

    `parameters` are the job's stored parameters by their wire names; `origin` is the address it
    was submitted from.
    """

    id: str
    kind: str
    owner_id: str
    origin: str
    parameters: dict[str, Any] = field(repr=False)


class Event:
    """Something happened."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class JobEvent(Event):
    """Something happened to one job."""

    job: JobSnapshot


@dataclass(frozen=True, slots=True)
class UserSnapshot:
    """What an event tells of a user; `role` as in tokens."""

    id: str
    name: str
    role: int
    approval: str
    provider: str | None
    avatar: str | None


@dataclass(frozen=True, slots=True)
class UserEvent(Event):
    """Something happened to a user. Administrators hear of it, with the state of afterwards."""

    user: UserSnapshot


@dataclass(frozen=True, slots=True)
class UserPending(UserEvent):
    """Somebody knocks: they logged in, and wait for approval. `address` is where from."""

    address: str


@dataclass(frozen=True, slots=True)
class UserApproved(UserEvent):
    """Somebody was let in."""


@dataclass(frozen=True, slots=True)
class UserDenied(UserEvent):
    """Somebody who knocked was refused."""


@dataclass(frozen=True, slots=True)
class UserDisabled(UserEvent):
    """Somebody who was in was shut out."""


@dataclass(frozen=True, slots=True)
class UserRoleChanged(UserEvent):
    """Somebody has another role."""


@dataclass(frozen=True, slots=True)
class UserSignedOut(UserEvent):
    """All tokens of a user are void."""


@dataclass(frozen=True, slots=True)
class UserForgotten(UserEvent):
    """What was known of a user is erased."""


@dataclass(frozen=True, slots=True)
class QueuePaused(Event):
    """No job of the lane is started any more. `resumes_at_s` is when that ends by itself (seconds
    since 1970), None for not."""

    lane: str
    resumes_at_s: float | None


@dataclass(frozen=True, slots=True)
class QueueResumed(Event):
    """Jobs of the lane are started again."""

    lane: str


@dataclass(frozen=True, slots=True)
class DiskLow(Event):
    """The disk with our pictures has become nearly full."""

    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class ModelsRefreshed(Event):
    """Our lists have changed: Forge has looked for files anew, or the owner says something else of
    a checkpoint. Everybody hears of it."""


@dataclass(frozen=True, slots=True)
class JobStarted(JobEvent):
    """The worker took the job."""


@dataclass(frozen=True, slots=True)
class CheckpointChanged(JobEvent):
    """The job makes Forge load another checkpoint or other modules than are loaded now."""

    checkpoint: str


@dataclass(frozen=True, slots=True)
class JobProgressed(JobEvent):
    """Forge went on. `fraction` is in [0, 1]; `eta_s` is Forge's own estimate in seconds."""

    fraction: float
    eta_s: float
    step: int
    steps: int


@dataclass(frozen=True, slots=True)
class JobFinished(JobEvent):
    """The picture is stored and can be fetched. `seed` is the one that was used."""

    seed: int | None


@dataclass(frozen=True, slots=True)
class JobFailed(JobEvent):
    """The job ended without a picture; `reason` is a sentence for its owner."""

    reason: str


@dataclass(frozen=True, slots=True)
class JobInterrupted(JobEvent):
    """Its owner, or an administrator, asked for the running job to stop."""


@dataclass(frozen=True, slots=True)
class DownloadProgressed(JobEvent):
    """More of a file is there. `fraction` is in [0, 1]; None is unknown."""

    received_bytes: int
    size_bytes: int | None
    fraction: float | None
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class DownloadFinished(JobEvent):
    """A file is there, under this name, and Forge will look for it."""

    file_name: str


class EventBus:
    """Hands every published event to every subscriber, in order."""

    def __init__(self) -> None:
        self._subscribers: list[asyncio.Queue[Event]] = []

    def publish(self, event: Event) -> None:
        """Hands `event` to the subscribers; returns at once."""
        for queue in self._subscribers:
            queue.put_nowait(event)

    @contextlib.asynccontextmanager
    async def subscribed(self) -> AsyncIterator[asyncio.Queue[Event]]:
        """Gives a queue that receives everything published while the block runs."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._subscribers.append(queue)
        try:
            yield queue
        finally:
            self._subscribers.remove(queue)
