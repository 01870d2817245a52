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
class ModelsRefreshed(Event):
    """Forge has looked for files anew, and our lists follow. Everybody hears of it."""


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
