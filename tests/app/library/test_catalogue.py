"""Tests of keeping Forge's lists."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.clients.forge import ForgeClient
from app.clients.forge_lists import ForgeLists
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.events import EventBus
from app.library.catalogue import Catalogue
from app.library.known_checkpoints import KnownCheckpoints
from app.library.list_file import ListFile
from app.library.models import KnownCheckpoint
from app.simulator import Fault, Simulator, SimulatorOptions
from app.simulator.catalogue import Checkpoint, Lora
from tests.app.clients.answering import client_of
from tests.building import CHECKPOINT, OTHER_CHECKPOINT
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")

REFRESH = "POST /sdapi/v1/refresh-checkpoints"


def names(lists: ForgeLists) -> list[str]:
    return [str(item["model_name"]) for item in lists.checkpoints]


async def test_nothing_is_known_before_the_first_reading(forge: ForgeClient) -> None:
    catalogue = Catalogue(forge, EventBus())
    assert catalogue.lists == ForgeLists()
    with pytest.raises(UpstreamUnavailable, match="not known"):
        catalogue.known()


async def test_lists_are_read_whole(forge: ForgeClient) -> None:
    catalogue = Catalogue(forge, EventBus())
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
    catalogue = Catalogue(forge, EventBus())
    simulator.modules.clear()
    await simulator.restart()
    await catalogue.refresh()
    assert not catalogue.lists.modules
    assert catalogue.lists.has_modules


async def test_lists_stay_as_they_are_until_they_are_read_anew(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge, EventBus())
    await catalogue.refresh()
    simulator.checkpoints.append(Checkpoint("zebra.safetensors"))
    await simulator.restart()
    assert "zebra" not in names(catalogue.known())
    await catalogue.refresh()
    assert "zebra" in names(catalogue.known())


@pytest.mark.parametrize("path", ["sd-models", "samplers"])
async def test_old_lists_are_kept_when_reading_fails(
    forge: ForgeClient, simulator: Simulator, path: str
) -> None:
    catalogue = Catalogue(forge, EventBus())
    await catalogue.refresh()
    before = catalogue.known()
    simulator.inject(Fault.http_500(path=f"/sdapi/v1/{path}"))
    with pytest.raises(UpstreamFailed):
        await catalogue.refresh()
    assert catalogue.known() is before


async def test_forge_that_is_away_leaves_the_lists_alone(unused_port: int) -> None:
    async with client_of(f"http://127.0.0.1:{unused_port}") as forge:
        catalogue = Catalogue(forge, EventBus())
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
            catalogue = Catalogue(forge, EventBus())
            await catalogue.refresh()
            assert catalogue.known().loras == []
            assert catalogue.known().checkpoints


async def test_checkpoints_are_needed_from_every_fork() -> None:
    async with (
        Simulator(SimulatorOptions(startup_time_s=1000)).serving() as simulator,
        client_of(simulator.url) as forge,
    ):
        catalogue = Catalogue(forge, EventBus())
        with pytest.raises(UpstreamFailed):
            await catalogue.refresh()
        assert catalogue.lists == ForgeLists()


async def test_expired_lists_are_read_anew_by_themselves(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge, EventBus(), expiry_s=0.01)
    await catalogue.refresh()
    simulator.inject(Fault.http_500(path="/sdapi/v1/sd-models"))
    simulator.checkpoints.append(Checkpoint("zebra.safetensors"))
    await simulator.restart()
    async with catalogue.kept_fresh():
        # The first reading fails; that is no reason to stop.
        await until(lambda: "zebra" in names(catalogue.known()), 10)


async def test_lists_outlive_a_restart_of_ours(
    forge: ForgeClient, simulator: Simulator, tmp_path: Path
) -> None:
    file = ListFile(tmp_path / "lists.json")
    first = Catalogue(forge, EventBus(), file)
    await first.refresh()
    second = Catalogue(forge, EventBus(), file)
    second.load()
    assert second.known() == first.known()
    assert second.is_stale
    assert second.read_at == first.read_at
    await second.refresh()
    assert not second.is_stale


async def test_lists_are_stale_once_they_could_not_be_read(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge, EventBus())
    await catalogue.refresh()
    simulator.inject(Fault.http_500("/sdapi/v1/samplers"))
    with pytest.raises(UpstreamFailed):
        await catalogue.refresh()
    assert catalogue.is_stale
    assert names(catalogue.known()) == [CHECKPOINT, OTHER_CHECKPOINT]


@pytest.mark.parametrize("path", ["embeddings", "upscalers", "schedulers", "sd-modules", "loras"])
async def test_one_failing_list_keeps_nothing_else_away(
    forge: ForgeClient, simulator: Simulator, path: str
) -> None:
    """Jobs can be drawn without it."""
    catalogue = Catalogue(forge, EventBus())
    await catalogue.refresh()
    before = catalogue.known()
    assert before.embeddings
    simulator.checkpoints.append(Checkpoint("zebra.safetensors"))
    await simulator.restart()
    simulator.inject(Fault.http_500(f"/sdapi/v1/{path}"))
    await catalogue.refresh()
    assert "zebra" in names(catalogue.known())
    assert replace(catalogue.known(), checkpoints=before.checkpoints) == before


async def test_checkpoint_is_found_by_the_owners_name_for_it(forge: ForgeClient) -> None:
    known = KnownCheckpoints(fresh_s=0)
    catalogue = Catalogue(forge, EventBus(), known_checkpoints=known)
    await catalogue.refresh()
    await KnownCheckpoint.create(model_name=CHECKPOINT, friendly_name="Dream Model")
    await KnownCheckpoint.create(model_name="gone", friendly_name="Gone")
    lists = await catalogue.renamed()
    found = lists.checkpoint("Dream Model")
    assert found is not None
    assert found["model_name"] == CHECKPOINT
    assert lists.checkpoint("Gone") is None


async def test_large_and_deep_metadata_of_loras_is_left_out(
    forge: ForgeClient, simulator: Simulator, tmp_path: Path
) -> None:
    deep = json.loads("[" * 248 + "]" * 248)  # what can be read, but not be written
    metadata = {"ss_tag_frequency": {"a": 1}, "x": deep, "y": [{"z": 1}], "sshs_model_hash": "ab"}
    simulator.loras.append(Lora("big.safetensors", metadata=metadata))
    await simulator.restart()
    catalogue = Catalogue(forge, EventBus(), ListFile(tmp_path / "lists.json"))
    await catalogue.refresh()
    (big,) = [lora for lora in catalogue.known().loras if lora["name"] == "big"]
    assert big["metadata"] == {"y": [{"z": 1}], "sshs_model_hash": "ab"}
