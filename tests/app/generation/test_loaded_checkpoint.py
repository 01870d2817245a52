"""Tests of `app/generation/loaded_checkpoint.py`, against a simulated Forge."""

from collections.abc import AsyncIterator

import pytest

from app.clients.forge import ForgeClient
from app.clients.forge_health import ForgeHealth
from app.clients.forge_lists import ForgeLists
from app.generation.checkpoint import Loaded
from app.generation.loaded_checkpoint import LoadedCheckpoint
from app.simulator import Fault, Simulator
from tests.building import CHECKPOINT, OTHER_CHECKPOINT
from tests.waiting import until

WANTED = Loaded(CHECKPOINT)


async def nothing() -> None:
    """What there is to do when Forge appears."""


async def draw(forge: ForgeClient, checkpoint: str = CHECKPOINT) -> None:
    override = {"sd_model_checkpoint": checkpoint, "forge_additional_modules": []}
    size = {"width": 64, "height": 64}
    await forge.txt2img({"steps": 1, "override_settings": override, **size})


@pytest.fixture
async def health(forge: ForgeClient) -> AsyncIterator[ForgeHealth]:
    """Of a Forge that is looked at all the time."""
    health = ForgeHealth(forge, on_ready=nothing, probe_interval_s=0.02, retry_interval_s=0.02)
    async with health.watched():
        await health.wait_ready()
        yield health


@pytest.fixture
async def loaded(forge: ForgeClient, health: ForgeHealth) -> LoadedCheckpoint:
    """What is known of it."""
    lists = ForgeLists(checkpoints=await forge.checkpoints())
    return LoadedCheckpoint(forge, health, lambda: lists)


async def test_fresh_forge_has_nothing_loaded(loaded: LoadedCheckpoint) -> None:
    assert loaded.last_known is None
    assert await loaded.differs_from(WANTED)


async def test_what_somebody_else_has_loaded_is_noticed(
    loaded: LoadedCheckpoint, forge: ForgeClient
) -> None:
    loaded.drew(WANTED)
    loaded.doubt()
    await draw(forge, OTHER_CHECKPOINT)
    assert await loaded.differs_from(WANTED)
    assert not await loaded.differs_from(Loaded(OTHER_CHECKPOINT))
    await until(lambda: loaded.last_known == Loaded(OTHER_CHECKPOINT))


async def test_last_picture_counts_until_forge_is_looked_at_again(
    loaded: LoadedCheckpoint, health: ForgeHealth, simulator: Simulator
) -> None:
    calls = simulator.calls["GET /sdapi/v1/options"]
    simulator.inject(Fault.hang("/sdapi/v1/options"))
    await until(lambda: simulator.calls["GET /sdapi/v1/options"] > calls)
    loaded.drew(WANTED)
    assert health.is_ready
    assert loaded.last_known == WANTED
    simulator.clear_faults()


async def test_after_unloading_the_same_checkpoint_has_to_be_loaded_again(
    loaded: LoadedCheckpoint, forge: ForgeClient, health: ForgeHealth
) -> None:
    """Though Forge's options say that it is loaded."""
    await draw(forge)
    await until(lambda: loaded.last_known == WANTED)
    loaded.unload()
    assert await loaded.differs_from(WANTED)
    probed_s = health.options_at_s
    await until(lambda: health.options_at_s > probed_s)
    assert loaded.last_known is None
    loaded.drew(WANTED)
    assert not await loaded.differs_from(WANTED)
    assert loaded.last_known == WANTED


async def test_what_a_run_of_ours_may_have_loaded_is_ours_until_it_is_freed(
    loaded: LoadedCheckpoint,
) -> None:
    assert not loaded.may_be_ours
    loaded.doubt()
    assert loaded.may_be_ours
    loaded.unload()
    assert not loaded.may_be_ours
    assert loaded.unloaded_at is not None
    loaded.drew(WANTED)
    assert loaded.may_be_ours
    await until(lambda: loaded.unloaded_at is None)


async def test_forge_that_was_started_anew_holds_nothing_of_ours(
    loaded: LoadedCheckpoint,
) -> None:
    loaded.unload()
    loaded.doubt()
    loaded.forget()
    assert (loaded.may_be_ours, loaded.unloaded_at, loaded.last_known) == (False, None, None)
    assert await loaded.differs_from(WANTED)


async def test_nothing_is_known_while_forge_is_away(
    loaded: LoadedCheckpoint, health: ForgeHealth
) -> None:
    loaded.drew(WANTED)
    health.report_trouble("It is gone.")
    assert loaded.last_known is None
    assert loaded.last_seen == WANTED  # it may be busy only
    loaded.forget()
    assert loaded.last_seen != WANTED


async def test_what_is_loaded_now_is_asked_for(
    forge: ForgeClient, loaded: LoadedCheckpoint
) -> None:
    assert await loaded.now() is None
    await draw(forge)
    loaded.doubt()
    assert await loaded.now() == WANTED
    loaded.unload()
    assert await loaded.now() is None
