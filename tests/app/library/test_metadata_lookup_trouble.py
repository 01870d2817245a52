"""Tests of `app/library/metadata_lookup.py`: a CivitAI that fails, or says nonsense."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from app.library.metadata_lookup import AT_ONCE
from tests.app.library.looking_up import Desk, desk_with
from tests.fakes.serving import Fault
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")

DEEP = b'{"id": 5, "x": ' + b"[" * 300 + b"]" * 300 + b"}"


@pytest.fixture
async def desk(connections: aiohttp.ClientSession) -> AsyncIterator[Desk]:
    """A desk whose CivitAI knows ten versions, each by a hash of its own."""
    async with desk_with(connections) as opened:
        yield opened


async def test_file_that_civitai_fails_for_keeps_no_other_from_being_looked_up(desk: Desk) -> None:
    desk.wanted = [f"{number:012x}" for number in range(6)]
    broken = "model-versions/by-hash/000000000000"
    desk.civitai.faults[broken] = [Fault(500)]
    async with desk.lookup.working():
        await until(lambda: all(desk.version_id(key) for key in desk.wanted[1:]))
        assert desk.version_id("000000000000") is None
        desk.civitai.faults.clear()
        desk.now += timedelta(hours=2)
        desk.lookup.look()
        await until(lambda: desk.version_id("000000000000") == 101)
    assert desk.pauses_s == []


async def test_many_that_civitai_fails_for_are_asked_about_after_the_others(desk: Desk) -> None:
    bad = [f"{number:012x}" for number in range(0xA00, 0xA0C)]
    for key in bad:
        desk.civitai.faults[f"model-versions/by-hash/{key}"] = [Fault(500)]
    desk.wanted = [*bad, "000000000001"]
    async with desk.lookup.working():
        await until(lambda: desk.version_id("000000000001") == 102)


async def test_civitai_that_fails_for_all_is_not_asked_about_all(desk: Desk) -> None:
    desk.wanted = [f"{number:012x}" for number in range(100)]
    desk.civitai.faults["*"] = [Fault(401, b"{}")]
    async with desk.lookup.working():
        await until(lambda: len(desk.pauses_s) >= 1)
    assert len({one.path for one in desk.civitai.requests}) <= 2 * AT_ONCE


@pytest.mark.parametrize(
    "told", [b"{}", b'{"id": "5"}', b'{"id": true}', b'{"id": %d}' % 2**63, DEEP]
)
async def test_answer_that_is_no_version_is_not_kept(desk: Desk, told: bytes) -> None:
    desk.wanted = ["000000000000", "000000000001"]
    desk.civitai.faults["model-versions/by-hash/000000000000"] = [Fault(200, told)]
    async with desk.lookup.working():
        await until(lambda: desk.version_id("000000000001") == 102)
    assert desk.store.find("000000000000") is None


async def test_one_that_civitai_says_nonsense_of_holds_up_no_other(desk: Desk) -> None:
    desk.wanted = [f"{number:012x}" for number in range(10)]
    desk.civitai.faults["model-versions/by-hash/000000000000"] = [Fault(200, b"<html>")]
    async with desk.lookup.working():
        await until(lambda: desk.changes == 1)
        assert all(desk.version_id(key) is not None for key in desk.wanted[1:])
        assert desk.pauses_s == []
        asked = len(desk.civitai.requests)
        desk.lookup.look()
        await asyncio.sleep(0.05)
        assert len(desk.civitai.requests) == asked
        desk.civitai.faults.clear()
        desk.now += timedelta(hours=2)
        desk.lookup.look()
        await until(lambda: desk.version_id("000000000000") == 101)


async def test_version_of_too_many_levels_is_not_kept(desk: Desk) -> None:
    desk.wanted = ["000000000000", "000000000001"]
    nested = b'{"a":' * 280 + b"1" + b"}" * 280
    body = b'{"id": 101, "nested": ' + nested + b"}"
    fault = Fault(200, body, {"Content-Type": "application/json"})
    desk.civitai.faults["model-versions/by-hash/000000000000"] = [fault]
    async with desk.lookup.working():
        await until(lambda: desk.version_id("000000000001") == 102)
    assert desk.version_id("000000000000") is None


async def test_only_what_is_shown_of_pictures_is_kept(desk: Desk) -> None:
    desk.wanted = ["000000000000"]
    image = {"url": "https://example.com/a.png", "meta": {"prompt": "x" * 5000}}
    desk.civitai.models[1]["modelVersions"][0]["images"] = [image] * 20 + ["nonsense"]
    async with desk.lookup.working():
        await until(lambda: desk.version_id("000000000000") == 101)
    known = desk.store.find("000000000000")
    assert known is not None
    assert known.version is not None
    assert known.version["images"] == [{"url": "https://example.com/a.png"}] * 5


async def test_version_that_is_absurdly_large_is_not_kept(desk: Desk) -> None:
    desk.wanted = ["000000000000"]
    desk.civitai.models[1]["modelVersions"][0]["description"] = "x" * 600_000
    async with desk.lookup.working():
        await until(lambda: desk.store.find("000000000000") is not None)
    assert desk.version_id("000000000000") is None
