"""A simulated Forge that works on a task of somebody's."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp

from app.clients.forge import ForgeClient
from app.simulator import Simulator, SimulatorOptions
from app.tasks import running
from tests.building import CHECKPOINT, Workshop, make_catalogue


@contextlib.asynccontextmanager
async def forge_with(options: SimulatorOptions) -> AsyncIterator[tuple[ForgeClient, Simulator]]:
    async with (
        Simulator(options, make_catalogue()).serving() as simulator,
        aiohttp.ClientSession() as session,
    ):
        root = simulator.url
        yield ForgeClient(session, api_url=f"{root}/sdapi/v1", root_url=root), simulator


@contextlib.asynccontextmanager
async def drawing(forge: ForgeClient, task_id: str, *, steps: int = 150) -> AsyncIterator[None]:
    """Forge works on this task while the block runs."""
    payload = {
        "steps": steps,
        "width": 64,
        "height": 64,
        "override_settings": {"sd_model_checkpoint": CHECKPOINT},
        "force_task_id": task_id,
    }
    task = asyncio.create_task(forge.txt2img(payload))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@contextlib.asynccontextmanager
async def somebody_drawing(simulator: Simulator, shop: Workshop) -> AsyncIterator[None]:
    """Somebody draws in Forge's own page; it takes more than a second."""

    async def draw() -> None:
        body = {"steps": 120, "width": 64, "height": 64}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{simulator.url}/sdapi/v1/txt2img", json=body) as response,
        ):
            await response.read()

    async with running(draw()):
        await shop.is_sampling()
        yield
