"""Tests of making Forge look for new files."""

import asyncio

import pytest

from app.clients.forge import ForgeClient
from app.clients.forge_lists import ForgeLists
from app.errors import UpstreamFailed
from app.events import EventBus, ModelsRefreshed
from app.library.catalogue import Catalogue
from app.simulator import Fault, Simulator
from app.simulator.catalogue import Checkpoint
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")

REFRESH = "POST /sdapi/v1/refresh-checkpoints"


def names(lists: ForgeLists) -> list[str]:
    return [str(item["model_name"]) for item in lists.checkpoints]


async def test_rescan_makes_forge_look_for_new_files_and_tells_everybody(
    forge: ForgeClient, simulator: Simulator
) -> None:
    events = EventBus()
    catalogue = Catalogue(forge, events)
    await catalogue.refresh()
    simulator.checkpoints.append(Checkpoint("zebra.safetensors"))
    async with events.subscribed() as heard:
        await asyncio.gather(catalogue.rescan(), catalogue.rescan())
        assert isinstance(heard.get_nowait(), ModelsRefreshed)
        assert heard.empty()
    assert "zebra" in names(catalogue.known())
    assert simulator.calls["POST /sdapi/v1/refresh-checkpoints"] == 1
    assert simulator.calls["POST /sdapi/v1/refresh-loras"] == 1
    assert simulator.calls["POST /sdapi/v1/refresh-embeddings"] == 1


async def test_rescan_goes_on_when_the_one_who_asked_goes_away(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge, EventBus())
    async with catalogue.opened():
        asking = asyncio.create_task(catalogue.rescan())
        await until(lambda: simulator.calls["POST /sdapi/v1/refresh-loras"] == 1)
        asking.cancel()
        await until(lambda: not catalogue.is_stale)


async def test_forge_looks_for_files_at_most_once_in_a_while(
    forge: ForgeClient, simulator: Simulator
) -> None:
    events = EventBus()
    catalogue = Catalogue(forge, events, rescan_pause_s=60)
    async with events.subscribed() as heard:
        for _ in range(5):
            await catalogue.rescan()
        assert heard.qsize() == 1
    assert simulator.calls["POST /sdapi/v1/refresh-loras"] == 1


async def test_one_failing_refresh_keeps_the_others_going_and_is_said(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge, EventBus(), rescan_pause_s=0)
    await catalogue.refresh()
    simulator.inject(Fault.http_500("/sdapi/v1/refresh-loras"))
    with pytest.raises(UpstreamFailed):
        await catalogue.rescan()
    assert catalogue.is_stale
    assert simulator.calls["POST /sdapi/v1/refresh-checkpoints"] == 1
    assert simulator.calls["POST /sdapi/v1/refresh-embeddings"] == 1
    await catalogue.rescan()
    assert not catalogue.is_stale


async def test_rescan_that_takes_long_goes_on_behind(
    forge: ForgeClient, simulator: Simulator
) -> None:
    events = EventBus()
    catalogue = Catalogue(forge, events, rescan_patience_s=0.05)
    simulator.inject(Fault.slow(0.5, "/sdapi/v1/refresh-loras"))
    async with catalogue.opened(), events.subscribed() as heard:
        await catalogue.rescan()
        assert heard.empty()
        await until(lambda: not heard.empty())


async def test_rescan_does_not_outlive_what_it_needs(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge, EventBus(), rescan_patience_s=0)
    simulator.inject(Fault.slow(60, "/sdapi/v1/refresh-loras"))
    async with catalogue.opened():
        await catalogue.rescan()
        assert not catalogue._rescan.done()  # type: ignore[union-attr]
    assert catalogue._rescan.cancelled()  # type: ignore[union-attr]


async def test_rescan_that_fails_behind_in_a_new_way_is_logged(
    forge: ForgeClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        await asyncio.sleep(0.05)
        raise RuntimeError("in a new way")

    monkeypatch.setattr(forge, "rescan", fail)
    catalogue = Catalogue(forge, EventBus(), rescan_patience_s=0)
    await catalogue.rescan()
    await until(lambda: "in a new way" in caplog.text)
    assert "never retrieved" not in caplog.text


async def test_rescan_after_a_change_begins_after_it(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge, EventBus(), rescan_pause_s=0.05)
    await catalogue.rescan()
    simulator.checkpoints.append(Checkpoint("zebra.safetensors"))
    await catalogue.rescan_after_change()
    assert "zebra" in names(catalogue.lists)
    assert simulator.calls[REFRESH] == 2


async def test_rescan_that_was_under_way_does_not_count_for_a_change(
    forge: ForgeClient, simulator: Simulator
) -> None:
    catalogue = Catalogue(forge, EventBus(), rescan_pause_s=0)
    earlier = asyncio.create_task(catalogue.rescan())
    await until(lambda: simulator.calls[REFRESH] == 1)
    await catalogue.rescan_after_change()
    await earlier
    assert simulator.calls[REFRESH] == 2
