"""Tests of `app/library/metadata_lookup.py`, with a fake CivitAI."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from app.library.metadata_lookup import AT_ONCE
from tests.app.library.looking_up import NOON, Desk, Slow, desk_with
from tests.fakes.serving import Fault
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def desk(connections: aiohttp.ClientSession) -> AsyncIterator[Desk]:
    """A desk whose CivitAI knows ten versions, each by a hash of its own."""
    async with desk_with(connections) as opened:
        yield opened


async def test_unknown_ones_are_looked_up_once(desk: Desk) -> None:
    desk.wanted = ["000000000000", "000000000001", "000000000000", "ffffffffffff"]
    async with desk.lookup.working():
        await until(lambda: desk.changes == 1)
        desk.lookup.look()
        await asyncio.sleep(0.05)
    assert desk.version_id("000000000000") == 101
    assert desk.version_id("000000000001") == 102
    nothing = desk.store.find("ffffffffffff")
    assert nothing is not None
    assert (nothing.version, nothing.checked_at) == (None, NOON)
    assert len(desk.civitai.requests) == 3


async def test_a_few_at_a_time(desk: Desk) -> None:
    desk.wanted = [f"{number:012x}" for number in range(9)]
    desk.civitai.faults["*"] = [Fault(hangs=True)]
    async with desk.lookup.working():
        await until(lambda: len(desk.civitai.requests) == AT_ONCE)
        await asyncio.sleep(0.1)
        assert len(desk.civitai.requests) == AT_ONCE


async def test_what_is_a_week_old_is_refreshed_by_its_id(desk: Desk) -> None:
    desk.wanted = ["000000000000"]
    async with desk.lookup.working():
        await until(lambda: desk.changes == 1)
        desk.now += timedelta(days=6)
        desk.lookup.look()
        await asyncio.sleep(0.05)
        assert len(desk.civitai.requests) == 1
        desk.now += timedelta(days=2)
        desk.lookup.look()
        await until(lambda: len(desk.civitai.requests) == 2)
    assert desk.asked() == ["by-hash/000000000000", "101"]


async def test_civitai_that_is_away_is_asked_less_and_less_and_nothing_is_forgotten(
    desk: Desk,
) -> None:
    desk.wanted = ["000000000000"]
    async with desk.lookup.working():
        await until(lambda: desk.changes == 1)
        desk.now += timedelta(days=8)
        desk.civitai.faults["*"] = [Fault(401, b"{}")]
        desk.lookup.look()
        await until(lambda: len(desk.pauses_s) >= 8)
        assert desk.version_id("000000000000") == 101
        desk.civitai.faults.clear()
        await until(lambda: (desk.store.find("000000000000") or _none()).checked_at == desk.now)
    assert desk.pauses_s[:8] == [60, 120, 240, 480, 960, 1920, 3600, 3600]


async def test_owner_may_decide_while_civitai_is_asked(desk: Desk) -> None:
    desk.wanted = ["000000000000", "000000000001"]
    slow = Slow(200, b'{"id": 101}')
    desk.civitai.faults |= {f"model-versions/by-hash/{key}": [slow] for key in desk.wanted}
    async with desk.lookup.working():
        await until(lambda: len(desk.civitai.requests) == 2)
        await desk.store.change("000000000000", version_id=301, checked_at=None)
        await desk.store.change("000000000001", updates_disabled=True)
        desk.lookup.look()
        slow.may_answer.set()
        await until(lambda: desk.version_id("000000000000") == 301)
    assert desk.version_id("000000000001") is None


async def test_version_that_civitai_has_removed_stays_known(desk: Desk) -> None:
    desk.wanted = ["000000000000"]
    async with desk.lookup.working():
        await until(lambda: desk.changes == 1)
        desk.civitai.models.clear()
        desk.now += timedelta(days=8)
        desk.lookup.look()
        await until(lambda: (desk.store.find("000000000000") or _none()).checked_at == desk.now)
    assert desk.version_id("000000000000") == 101


async def test_owner_may_keep_it_from_being_asked(desk: Desk) -> None:
    desk.wanted = ["000000000000", "000000000001"]
    await desk.store.change("000000000000", updates_disabled=True)
    await desk.store.change("000000000001", override={"name": "mine"})
    async with desk.lookup.working():
        desk.lookup.look()
        await desk.lookup.refresh_all(patience_s=1)
        await asyncio.sleep(0.05)
    assert desk.civitai.requests == []


async def test_id_that_the_owner_names_is_looked_up(desk: Desk) -> None:
    desk.wanted = ["ffffffffffff"]
    await desk.store.change("ffffffffffff", version_id=301)
    async with desk.lookup.working():
        await until(lambda: desk.version_id("ffffffffffff") == 301)


async def test_what_the_owner_says_during_a_lookup_counts(desk: Desk) -> None:
    desk.wanted = ["000000000000"]
    desk.civitai.faults["model-versions/by-hash/000000000000"] = [Fault(hangs=True)]
    async with desk.lookup.working():
        await until(lambda: bool(desk.civitai.requests))
        await desk.store.change("000000000000", version_id=301)
        desk.civitai.faults.clear()
        await until(lambda: desk.version_id("000000000000") == 301, 30)


async def test_asking_again_soon_makes_no_traffic(desk: Desk) -> None:
    desk.wanted = ["000000000000"]
    async with desk.lookup.working():
        await until(lambda: desk.changes == 1)
        for _ in range(20):
            await desk.lookup.refresh_all(patience_s=10)
        assert len(desk.civitai.requests) == 2
        desk.now += timedelta(minutes=1)
        await desk.lookup.refresh_all(patience_s=10)
        assert len(desk.civitai.requests) == 3


async def test_everything_is_looked_up_anew_once_for_all_who_ask(desk: Desk) -> None:
    desk.wanted = ["000000000000", "000000000001"]
    async with desk.lookup.working():
        await until(lambda: desk.changes == 1)
        desk.civitai.models[1]["modelVersions"][0]["name"] = "new name"
        await asyncio.gather(*(desk.lookup.refresh_all(patience_s=10) for _ in range(20)))
        known = desk.store.find("000000000000")
        assert known is not None
        assert known.version is not None
        assert known.version["name"] == "new name"
    assert sorted(desk.asked()[2:]) == ["101", "102"]


async def test_asking_anew_ends_also_while_civitai_is_away(desk: Desk) -> None:
    desk.wanted = ["000000000000"]
    desk.civitai.faults["*"] = [Fault(401, b"{}")]
    async with desk.lookup.working():
        await until(lambda: len(desk.pauses_s) >= 1)
        await asyncio.wait_for(desk.lookup.refresh_all(patience_s=30), 5)
    desk.civitai.faults["*"] = [Fault(hangs=True)]
    async with desk.lookup.working():
        await asyncio.wait_for(desk.lookup.refresh_all(patience_s=0.05), 5)


def _none() -> Any:
    return type("None", (), {"checked_at": None})
