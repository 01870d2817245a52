"""What tests of unloading when nobody draws start from: a clock, a Forge with a GPU, waiting."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.events import CheckpointChanged
from app.generation.idle_unload import IdleUnload
from app.jobs.models import Job, Lane
from app.simulator import Simulator
from tests.building import WORKING, Workshop, make_catalogue
from tests.waiting import until

UNLOAD = "/sdapi/v1/unload-checkpoint"
LANE = Lane.GENERATION
INTERVAL = timedelta(minutes=10)


class Clock:
    """The clock of the wall, put forward as one likes."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.looks = 0

    def __call__(self) -> datetime:
        self.looks += 1
        return datetime.now(UTC) + self.ahead

    def forward(self, minutes: float) -> None:
        self.ahead += timedelta(minutes=minutes)

    async def is_seen(self) -> None:
        """Returns when it was looked at after this, and what follows from that was begun."""
        looks = self.looks
        await until(lambda: self.looks > looks + 2)


@contextlib.asynccontextmanager
async def forge_with_gpu() -> AsyncIterator[Simulator]:
    """A simulated Forge on a computer with a GPU."""
    options = replace(WORKING, gpu_memory_bytes=12_000_000_000)
    async with Simulator(options, make_catalogue()).serving() as serving:
        yield serving


@contextlib.asynccontextmanager
async def unloading_when_idle(
    shop: Workshop, clock: Clock | None, interval: timedelta | None = INTERVAL
) -> AsyncIterator[IdleUnload]:
    idle = IdleUnload(
        shop.forge,
        shop.health,
        shop.queue,
        shop.pauses,
        shop.loaded,
        interval=interval,
        now=clock,
        look_s=0.01,
    )
    async with idle.working():
        yield idle


def unloads(simulator: Simulator) -> int:
    return simulator.calls[f"POST {UNLOAD}"]


def switches(shop: Workshop) -> list[str]:
    return [event.checkpoint for event in shop.events if isinstance(event, CheckpointChanged)]


async def drawn(shop: Workshop) -> Job:
    """A job that has ended, after which the lane is idle."""
    job = await shop.ended(await shop.submit(steps=2))
    await until(lambda: shop.queue.idle.since(LANE))
    return job


async def freed(simulator: Simulator, shop: Workshop) -> None:
    await until(lambda: simulator.is_gpu_free and shop.loaded.unloaded_at)


async def is_idle(shop: Workshop) -> None:
    """Returns when Forge draws for nobody."""

    async def draws_nothing() -> bool:
        return (await shop.forge.progress()).job_count == 0

    await until(draws_nothing)
