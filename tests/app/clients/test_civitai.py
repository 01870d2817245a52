"""Tests of the client of CivitAI: which address is asked, what is remembered, the key."""

import asyncio
import contextlib

import aiohttp
import pytest

from app.clients.civitai import CivitaiClient
from app.errors import InvalidInput, UpstreamFailed, UpstreamUnavailable
from tests.app.clients.asking_civitai import Time, client
from tests.contract import exchange
from tests.fakes.civitai import FakeCivitai, model
from tests.fakes.serving import Fault
from tests.waiting import until

BROKEN = Fault(500)
HTML = Fault(200, b"<html>")


async def test_models_are_as_recorded(connections: aiohttp.ClientSession) -> None:
    async with FakeCivitai().serving() as fake:
        civitai = client(connections, fake.url)
        search = await civitai.get("models", [("limit", "2"), ("nsfw", "false")])
        one = await civitai.get("models/3")
        none = await civitai.get("models/12345")
    assert (search.status, search.json) == (200, exchange(276).answer)
    assert (one.status, one.json) == (200, exchange(277).answer)
    assert (none.status, none.json) == (404, exchange(278).answer)


async def test_query_arrives_as_it_was_given(connections: aiohttp.ClientSession) -> None:
    query = [("query", "ä & b=c#?/%"), ("types", "LORA"), ("types", "Poses")]
    async with FakeCivitai().serving() as fake:
        await client(connections, fake.url).get("models", query)
    assert fake.requests[0].query["query"] == "ä & b=c#?/%"
    assert fake.requests[0].target.endswith("&types=LORA&types=Poses")


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/models", "models/", "models//1", "..", "../x", "models/../../img", "models/.",
        "models/..%2f", "models%2f1", "models\\1", "https://example.org/x", "//example.org/x",
        "models?x=1", "models#x", "models/1\n", "models/\x00", "mödels", "a@b", "x" * 300,
    ],
)  # fmt: skip
async def test_what_is_no_path_is_refused_without_asking(
    path: str, connections: aiohttp.ClientSession
) -> None:
    async with FakeCivitai().serving() as fake:
        with pytest.raises(InvalidInput):
            await client(connections, fake.url).get(path)
    assert fake.requests == []


@pytest.mark.parametrize("value", ["x" * 5000, "\ud83e"])
async def test_impossible_query_is_refused_without_asking(
    value: str, connections: aiohttp.ClientSession
) -> None:
    async with FakeCivitai().serving() as fake:
        with pytest.raises(InvalidInput, match="query"):
            await client(connections, fake.url).get("models", [("query", value)])
    assert fake.requests == []


async def test_next_address_is_asked_for_what_one_does_not_know(
    connections: aiohttp.ClientSession,
) -> None:
    async with FakeCivitai().serving() as first, FakeCivitai().serving() as second:
        second.models[77] = model(77)
        civitai = client(connections, first.url, second.url)
        found = await civitai.get("models/77")
        missing = await civitai.get("models/78")
    assert (found.status, found.json["id"], found.base) == (200, 77, second.url)
    assert missing.status == 404
    assert [asked.path for asked in second.requests] == ["models/77", "models/78"]


async def test_next_address_is_asked_when_one_is_broken_or_away(
    connections: aiohttp.ClientSession, unused_port: int
) -> None:
    away = f"http://127.0.0.1:{unused_port}/api/v1"
    faults = {"*": [BROKEN]}
    async with FakeCivitai(faults=faults).serving() as broken, FakeCivitai().serving() as well:
        for base in (broken.url, away):
            civitai = client(connections, base, well.url)
            assert (await civitai.get("models/3")).base == well.url
            # The one that is broken may know it.
            with pytest.raises((UpstreamFailed, UpstreamUnavailable)):
                await civitai.get("models/78")


async def test_limit_holds_for_all_addresses(connections: aiohttp.ClientSession) -> None:
    faults = {"*": [Fault(429, headers={"Retry-After": "60"})]}
    async with FakeCivitai(faults=faults).serving() as first, FakeCivitai().serving() as second:
        with pytest.raises(UpstreamUnavailable, match="too often"):
            await client(connections, first.url, second.url).get("models")
    assert second.requests == []


async def test_preferred_address_is_asked_first(connections: aiohttp.ClientSession) -> None:
    async with FakeCivitai().serving() as first, FakeCivitai().serving() as second:
        civitai = client(connections, first.url, second.url)
        assert (await civitai.get("models", first=1)).base == second.url
        assert (await civitai.get("models")).base == first.url


async def test_fresh_answer_is_given_from_memory(connections: aiohttp.ClientSession) -> None:
    time = Time()
    async with FakeCivitai(cache_control="max-age=60").serving() as fake:
        civitai = client(connections, fake.url, time=time)
        first = await civitai.get("models/3")
        time.now_s += 59
        assert (await civitai.get("models/3")) == first
        assert len(fake.requests) == 1
        await civitai.get("models/3", [("a", "1")])
        assert len(fake.requests) == 2


async def test_old_answer_is_asked_for_by_its_etag(connections: aiohttp.ClientSession) -> None:
    time = Time()
    async with FakeCivitai(cache_control="max-age=60").serving() as fake:
        civitai = client(connections, fake.url, time=time)
        first = await civitai.get("models/3")
        for _ in range(2):
            time.now_s += 60
            again = await civitai.get("models/3")
            assert (again.json, again.is_stale) == (first.json, False)
        fake.models[3]["name"] = "another name"
        time.now_s += 60
        assert (await civitai.get("models/3")).json["name"] == "another name"
    tags = [asked.headers.get("If-None-Match") for asked in fake.requests]
    assert tags[0] is None
    assert tags[1] is not None
    assert tags[1:] == [tags[1]] * 3


async def test_answer_that_may_not_be_kept_is_not(connections: aiohttp.ClientSession) -> None:
    async with FakeCivitai(cache_control="no-store").serving() as fake:
        civitai = client(connections, fake.url)
        await civitai.get("models/3")
        fake.faults["*"] = [BROKEN]
        with pytest.raises(UpstreamFailed):
            await civitai.get("models/3")


@pytest.mark.parametrize("fault", [BROKEN, HTML, Fault(401), Fault(200, b'"text"'), Fault(429)])
async def test_older_answer_is_marked_while_civitai_is_in_trouble(
    fault: Fault, connections: aiohttp.ClientSession
) -> None:
    time = Time()
    async with FakeCivitai().serving() as fake:
        civitai = client(connections, fake.url, time=time)
        first = await civitai.get("models/3")
        time.now_s += 10_000
        fake.faults["*"] = [fault]
        stale = await civitai.get("models/3")
        assert (stale.json, stale.read_at, stale.is_stale) == (first.json, first.read_at, True)
        fake.faults.clear()
        assert not (await civitai.get("models/3")).is_stale


async def test_model_that_was_removed_is_forgotten(connections: aiohttp.ClientSession) -> None:
    time = Time()
    async with FakeCivitai().serving() as fake:
        civitai = client(connections, fake.url, time=time)
        await civitai.get("models/3")
        del fake.models[3]
        time.now_s += 10_000
        assert (await civitai.get("models/3")).status == 404
        fake.faults["*"] = [BROKEN]
        with pytest.raises(UpstreamFailed):
            await civitai.get("models/3")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"NaN", b"1", b'"text"', b"[" * 100_000, b"\xff", b"null"]
)
async def test_what_is_no_json_is_a_failure(
    body: bytes, connections: aiohttp.ClientSession
) -> None:
    async with FakeCivitai(faults={"*": [Fault(200, body)]}).serving() as fake:
        with pytest.raises(UpstreamFailed, match="not JSON"):
            await client(connections, fake.url).get("models")


async def test_question_ends_in_time_however_many_addresses(
    connections: aiohttp.ClientSession,
) -> None:
    async with FakeCivitai(faults={"*": [Fault(hangs=True)]}).serving() as fake:
        with pytest.raises(UpstreamUnavailable, match="too long"):
            await client(connections, fake.url, in_all_s=0.1).get("models")


async def test_versions_are_found_by_id_and_hash(connections: aiohttp.ClientSession) -> None:
    async with FakeCivitai().serving() as fake:
        civitai = client(connections, fake.url)
        by_id = await civitai.model_version(302)
        by_hash = await civitai.model_version_by_hash("aaaabbbbcccc")
        assert by_id is not None
        assert by_hash is not None
        assert (by_id["id"], by_id["model"]["type"], by_hash["id"]) == (302, "Checkpoint", 101)
        assert await civitai.model_version(999) is None
        assert await civitai.model_version_by_hash("FFFF") is None
        asked = len(fake.requests)
        assert await civitai.model_version_by_hash("../../x") is None
        assert len(fake.requests) == asked


@pytest.mark.parametrize("fault", [Fault(200, b"[]"), Fault(400, b"{}")])
async def test_version_that_is_none_is_a_failure(
    fault: Fault, connections: aiohttp.ClientSession
) -> None:
    async with FakeCivitai(faults={"*": [fault]}).serving() as fake:
        with pytest.raises(UpstreamFailed, match="not a model"):
            await client(connections, fake.url).model_version(1)


async def test_key_is_tested_once_a_minute_at_most(connections: aiohttp.ClientSession) -> None:
    time = Time()
    async with FakeCivitai().serving() as fake, opened(connections, fake, time) as civitai:
        assert await asyncio.gather(*(civitai.is_authenticated() for _ in range(20))) == [True] * 20
        time.now_s += 59
        assert await civitai.is_authenticated()
        (asked,) = fake.requests
        assert (asked.path, asked.query) == ("models", {"hidden": "1", "limit": "1"})
        fake.api_key = "another"
        time.now_s += 1
        assert not await civitai.is_authenticated()
        assert not await civitai.is_authenticated()
        assert len(fake.requests) == 2


async def test_civitai_that_was_away_is_asked_again_soon(
    connections: aiohttp.ClientSession,
) -> None:
    time = Time()
    async with FakeCivitai().serving() as fake, opened(connections, fake, time) as civitai:
        fake.faults["*"] = [Fault(503)]
        assert not await civitai.is_authenticated()
        assert civitai.trouble is not None
        fake.faults.clear()
        time.now_s += 5
        assert await civitai.is_authenticated()
        assert civitai.trouble is None


async def test_whoever_goes_away_makes_no_more_traffic(connections: aiohttp.ClientSession) -> None:
    fake = FakeCivitai(faults={"*": [Fault(hangs=True)]})
    async with fake.serving():
        async with client(connections, fake.url, in_all_s=0.3).open() as civitai:
            asking = asyncio.create_task(civitai.is_authenticated())
            await until(lambda: fake.requests)
            asking.cancel()
            await asyncio.wait([asking])
            assert asking.cancelled()
            assert not await civitai.is_authenticated()  # as the first question ended
        assert len(fake.requests) == 1


async def test_without_a_key_or_civitai_we_are_nobody(
    connections: aiohttp.ClientSession, unused_port: int
) -> None:
    async with FakeCivitai().serving() as fake:
        assert not await client(connections, fake.url, api_key=None).is_authenticated()
        assert fake.requests == []
    away = f"http://127.0.0.1:{unused_port}/api/v1"
    assert not await client(connections, away).is_authenticated()


def opened(
    connections: aiohttp.ClientSession, fake: FakeCivitai, time: Time
) -> contextlib.AbstractAsyncContextManager[CivitaiClient]:
    """A client that ends with the block."""
    return client(connections, fake.url, time=time).open()
