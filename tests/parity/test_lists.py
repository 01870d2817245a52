"""Recordings of what Forge has: the lists, also while Forge fails."""

from collections.abc import Mapping

import pytest

from app.simulator import Fault
from app.simulator.catalogue import Lora
from tests.parity.case import DEMO, OTHER, OWNER, Case, Stage, all_of
from tests.parity.replaying import check
from tests.parity.world import World
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

AWAY = "The lists while Forge is away"
PENDING = {"[].civitai": "LoRAs whose metadata is not known"}


def failing(path: str) -> Stage:
    """Forge answers 500 there, and Navigator has noticed."""

    async def stage(world: World) -> Mapping[str, str]:
        await world.lists_fail(Fault.http_500(f"/sdapi/v1/{path}", times=None))
        return {}

    return stage


def dropping(path: str) -> Stage:
    """Forge closes connections there, and Navigator has noticed."""

    async def stage(world: World) -> Mapping[str, str]:
        await world.lists_fail(Fault.drop(f"/sdapi/v1/{path}", times=None))
        return {}

    return stage


async def failing_refresh(world: World) -> Mapping[str, str]:
    """Forge answers 500 when it shall look for new files."""
    world.forge.inject(Fault.http_500("/sdapi/v1/refresh-checkpoints", times=None))
    return {}


async def loras(world: World) -> Mapping[str, str]:
    """The first LoRA is the recorded one."""
    metadata: dict[str, object] = {
        "sshs_model_hash": "aaaabbbbcccc",
        "ss_base_model_version": "sdxl_base_v1-0",
    }
    world.forge.loras[:] = [Lora("detail_slider.safetensors", metadata)]
    await world.forge.restart()
    health = world.server.navigator.health
    health.report_trouble("to have the lists read again")
    await until(lambda: health.is_ready)
    return {}


CASES = [
    Case(62),
    Case(63, OWNER),
    Case(64, OWNER),
    *all_of(range(65, 72)),
    Case(72, stage=failing("sd-models"), but={"error": AWAY}),
    Case(73, stage=dropping("sd-models"), but={"error": AWAY}),
    Case(74, stage=failing("samplers"), but={"body": AWAY}),
    Case(75, stage=dropping("samplers"), but={"body": AWAY}),
    Case(76, stage=failing("upscalers"), but={"status": AWAY}, now=200),
    Case(77, stage=dropping("upscalers"), but={"status": AWAY}, now=200),
    Case(78, stage=failing("schedulers"), but={"status": AWAY}, now=200),
    Case(79, stage=dropping("schedulers"), but={"status": AWAY}, now=200),
    Case(80, stage=failing("sd-modules"), but={"status": AWAY}, now=200),
    Case(81, stage=dropping("sd-modules"), but={"status": AWAY}, now=200),
    Case(82, stage=failing("options"), but={"status": AWAY}, now=200),
    Case(83, OWNER, stage=failing_refresh, but={"status": AWAY}, now=200),
    Case(84),
    Case(85, DEMO, stage=loras),
    Case(86, OWNER, stage=loras, but=PENDING),
    Case(87, OWNER, stage=loras, but=PENDING),
    Case(88, OTHER),
    Case(103, OWNER, stage=failing("loras"), but={"body": AWAY}),
    Case(295, stage=failing("options"), but={"status": AWAY}, now=200),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)


async def test_refresh_without_login_is_no_refresh(world: World) -> None:
    """63 and 83 were recorded without one."""
    calls = world.forge.calls["POST /sdapi/v1/refresh-checkpoints"]
    assert (await world.server.get("/api/models?refresh=true")).status == 200
    assert world.forge.calls["POST /sdapi/v1/refresh-checkpoints"] == calls
