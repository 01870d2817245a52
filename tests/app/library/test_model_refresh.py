"""Tests of `app/library/model_refresh.py`, with a simulated Forge."""

import asyncio
from functools import partial

import pytest

from app.clients.forge import ForgeClient
from app.events import EventBus
from app.library.catalogue import Catalogue
from app.library.model_refresh import ModelRefresh
from app.simulator import Fault, Simulator
from app.simulator.catalogue import Lora
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")


async def test_forge_is_asked_until_it_has_looked(forge: ForgeClient, simulator: Simulator) -> None:
    catalogue = Catalogue(forge, EventBus(), rescan_pause_s=0)
    pauses_s: list[float] = []

    async def sleep(pause_s: float) -> None:
        pauses_s.append(pause_s)
        await asyncio.sleep(0)

    refresh = ModelRefresh(catalogue, again_s=30, sleep=sleep)
    simulator.inject(Fault.http_500("/sdapi/v1/refresh-loras", times=2))
    async with refresh.working():
        simulator.loras.append(Lora("new.safetensors"))
        refresh.want()
        await until(lambda: any(lora["name"] == "new" for lora in catalogue.lists.loras))
    assert pauses_s == [30, 30]


async def test_two_wishes_in_a_row_are_both_fulfilled(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge, EventBus(), rescan_pause_s=0.05)
    refresh = ModelRefresh(catalogue)

    def is_known(name: str) -> bool:
        return any(lora["name"] == name for lora in catalogue.lists.loras)

    async with refresh.working():
        for number in range(3):
            simulator.loras.append(Lora(f"new{number}.safetensors"))
            refresh.want()
            await until(partial(is_known, f"new{number}"))


async def test_forge_that_fails_after_a_long_time_is_asked_again(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge, EventBus(), rescan_pause_s=0, rescan_patience_s=0.02)
    refresh = ModelRefresh(catalogue, again_s=0)
    simulator.inject(Fault.slow(0.3, "/sdapi/v1/refresh-checkpoints"))
    simulator.inject(Fault.http_500("/sdapi/v1/refresh-embeddings"))
    async with refresh.working():
        simulator.loras.append(Lora("new.safetensors"))
        refresh.want()
        await until(lambda: any(lora["name"] == "new" for lora in catalogue.lists.loras), 5)
