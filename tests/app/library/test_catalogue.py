"""Tests of keeping Forge's lists."""

import pytest

from app.clients.forge import ForgeClient
from app.clients.forge_lists import ForgeLists
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.library.catalogue import Catalogue
from app.simulator import Fault, Simulator, SimulatorOptions
from app.simulator.catalogue import Checkpoint
from tests.app.clients.answering import client_of
from tests.building import CHECKPOINT, OTHER_CHECKPOINT
from tests.waiting import until


def names(lists: ForgeLists) -> list[str]:
    return [str(item["model_name"]) for item in lists.checkpoints]


async def test_nothing_is_known_before_the_first_reading(forge: ForgeClient) -> None:
    catalogue = Catalogue(forge)
    assert catalogue.lists == ForgeLists()
    with pytest.raises(UpstreamUnavailable, match="not known yet"):
        catalogue.known()


async def test_lists_are_read_whole(forge: ForgeClient) -> None:
    catalogue = Catalogue(forge)
    await catalogue.refresh()
    lists = catalogue.known()
    assert names(lists) == [CHECKPOINT, OTHER_CHECKPOINT]
    assert [item["model_name"] for item in lists.modules] == [
        "ae.safetensors",
        "clip_l.safetensors",
    ]
    for each in (lists.samplers, lists.schedulers, lists.upscalers, lists.loras):
        assert each
    assert catalogue.lists is lists


async def test_forge_without_a_module_installed_is_no_fork_without_modules(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge)
    simulator.modules.clear()
    await simulator.restart()
    await catalogue.refresh()
    assert not catalogue.lists.modules
    assert catalogue.lists.has_modules


async def test_lists_stay_as_they_are_until_they_are_read_anew(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge)
    await catalogue.refresh()
    simulator.checkpoints.append(Checkpoint("zebra.safetensors"))
    await simulator.restart()
    assert "zebra" not in names(catalogue.known())
    await catalogue.refresh()
    assert "zebra" in names(catalogue.known())


@pytest.mark.parametrize("path", ["sd-models", "samplers", "upscalers", "loras"])
async def test_old_lists_are_kept_when_reading_fails(
    forge: ForgeClient, simulator: Simulator, path: str
) -> None:
    catalogue = Catalogue(forge)
    await catalogue.refresh()
    before = catalogue.known()
    simulator.inject(Fault.http_500(path=f"/sdapi/v1/{path}"))
    with pytest.raises(UpstreamFailed):
        await catalogue.refresh()
    assert catalogue.known() is before


async def test_forge_that_is_away_leaves_the_lists_alone(unused_port: int) -> None:
    async with client_of(f"http://127.0.0.1:{unused_port}") as forge:
        catalogue = Catalogue(forge)
        async with Simulator(SimulatorOptions()).serving(port=unused_port):
            await catalogue.refresh()
        with pytest.raises(UpstreamUnavailable):
            await catalogue.refresh()
        assert catalogue.known().checkpoints


async def test_lists_that_a_fork_has_no_route_for_are_empty() -> None:
    """The extension's list is missing in the second half of a Forge's start, as in a fork."""
    async with Simulator(SimulatorOptions(startup_time_s=1000)).serving() as simulator:
        simulator.set_uptime(600)
        async with client_of(simulator.url) as forge:
            catalogue = Catalogue(forge)
            await catalogue.refresh()
            assert catalogue.known().loras == []
            assert catalogue.known().checkpoints


async def test_checkpoints_are_needed_from_every_fork() -> None:
    async with (
        Simulator(SimulatorOptions(startup_time_s=1000)).serving() as simulator,
        client_of(simulator.url) as forge,
    ):
        catalogue = Catalogue(forge)
        with pytest.raises(UpstreamFailed):
            await catalogue.refresh()
        assert catalogue.lists == ForgeLists()


async def test_expired_lists_are_read_anew_by_themselves(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge, expiry_s=0.01)
    await catalogue.refresh()
    simulator.inject(Fault.http_500(path="/sdapi/v1/sd-models"))
    simulator.checkpoints.append(Checkpoint("zebra.safetensors"))
    await simulator.restart()
    async with catalogue.kept_fresh():
        # The first reading fails; that is no reason to stop.
        await until(lambda: "zebra" in names(catalogue.known()), 10)
