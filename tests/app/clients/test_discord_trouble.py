"""Tests of a Discord that fails, hangs, is not there or talks nonsense, and of our secrets then."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp
import orjson
import pytest

from app.clients.discord import DiscordClient
from app.errors import NavigatorError, UpstreamFailed, UpstreamUnavailable
from tests.app.clients.asking_discord import CODE, by_code, by_id, client
from tests.fakes.discord import (
    BOT_TOKEN,
    CLIENT_SECRET,
    ME_PATH,
    TESTER_ID,
    TOKEN_PATH,
    FakeDiscord,
    profile,
)
from tests.fakes.serving import Fault

USER_PATH = f"/users/{TESTER_ID}"
MEGABYTE = 1024 * 1024
RIGHT = {"access_token": "a", "id": TESTER_ID, "username": "tester"}  # for every path
NONSENSE_KEYS: list[dict[str, object]] = [
    {"id": 1}, {"id": None}, {"id": "abc"}, {"id": "1.5"}, {"id": "-7"}, {"id": ""},
    {"id": "١٢٣"}, {"id": "1\n"}, {"id": "1" * 21}, {"username": 5}, {"username": None},
    {"global_name": 5}, {"avatar": {}},
]  # fmt: skip
NONSENSE_PROFILES: list[object] = [
    *([], "x", None, 5, {}, {"username": "a"}, {"id": "1"}),
    *(profile("1", "a", None) | odd for odd in NONSENSE_KEYS),
]

Ask = Callable[[DiscordClient], Awaitable[object]]

EVERY_CALL = [(by_code, TOKEN_PATH), (by_code, ME_PATH), (by_id, USER_PATH)]


@pytest.mark.parametrize(("ask", "path"), EVERY_CALL)
@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, b'{"retry_after": 3}', {"Retry-After": "3"}),
        Fault(500),
        Fault(503, b"<html>"),
        Fault(204),
        Fault(302, b"", {"Location": ME_PATH}),
        Fault(200, b"<html>"),
        Fault(200, b""),
        Fault(200, b'{"id": "1", "username": "\xff"}'),
        Fault(200, b"[" * 5000),
        Fault(200, b"{", is_cut=True),
    ],
    ids=lambda fault: f"{fault.status}-{fault.body[:8]!r}-{fault.is_cut}",
)
async def test_error_nonsense_and_broken_answer_are_failures_of_discord(
    ask: Ask, path: str, fault: Fault, connections: aiohttp.ClientSession
) -> None:
    async with FakeDiscord(faults={path: fault}).serving() as fake:
        with pytest.raises(UpstreamFailed) as raised:
            await ask(client(connections, fake.url))
    assert (raised.value.status, raised.value.service) == (502, "discord")
    assert raised.value.code == "UPSTREAM_FAILED"
    assert len(fake.asked(path)) == 1  # no redirect was followed, and nothing asked twice


@pytest.mark.parametrize(("ask", "path"), EVERY_CALL)
async def test_huge_answer_is_a_failure_of_discord(
    ask: Ask, path: str, connections: aiohttp.ClientSession
) -> None:
    right = orjson.dumps(RIGHT)
    padded = Fault(body=right.ljust(MEGABYTE + 1))
    async with FakeDiscord(faults={path: padded}).serving() as fake:
        with pytest.raises(UpstreamFailed, match="too large"):
            await ask(client(connections, fake.url))


@pytest.mark.parametrize(("ask", "path"), EVERY_CALL[1:])
@pytest.mark.parametrize("answer", NONSENSE_PROFILES)
async def test_nonsense_profile_is_a_failure_of_discord(
    ask: Ask, path: str, answer: object, connections: aiohttp.ClientSession
) -> None:
    fault = Fault(body=orjson.dumps(answer))
    async with FakeDiscord(faults={path: fault}).serving() as fake:
        with pytest.raises(UpstreamFailed, match="not a profile"):
            await ask(client(connections, fake.url))


async def test_profile_of_somebody_else_is_a_failure_of_discord(
    connections: aiohttp.ClientSession,
) -> None:
    fault = Fault(body=orjson.dumps(profile("1", "a", None)))
    async with FakeDiscord(faults={USER_PATH: fault}).serving() as fake:
        with pytest.raises(UpstreamFailed, match="not a profile"):
            await by_id(client(connections, fake.url))


@pytest.mark.parametrize("token", ["", 5, None, "a\r\nX-Header: 1", "ä"])
async def test_nonsense_token_is_a_failure_of_discord(
    token: object, connections: aiohttp.ClientSession
) -> None:
    fault = Fault(body=orjson.dumps({"access_token": token}))
    async with FakeDiscord(faults={TOKEN_PATH: fault}).serving() as fake:
        with pytest.raises(UpstreamFailed, match="gave us no token"):
            await by_code(client(connections, fake.url))
    assert fake.asked(ME_PATH) == []


async def test_token_that_discord_does_not_know_any_more_is_its_failure(
    connections: aiohttp.ClientSession,
) -> None:
    async with FakeDiscord(faults={ME_PATH: Fault(401)}).serving() as fake:
        with pytest.raises(UpstreamFailed, match=r"^Discord answered 401\.$"):
            await by_code(client(connections, fake.url))


@pytest.mark.parametrize(("ask", "path"), EVERY_CALL)
async def test_hanging_discord_is_unavailable(
    ask: Ask, path: str, connections: aiohttp.ClientSession
) -> None:
    async with FakeDiscord(faults={path: Fault(hangs=True)}).serving() as fake:
        with pytest.raises(UpstreamUnavailable, match="took too long") as raised:
            async with asyncio.timeout(8):  # what would raise another error
                await ask(client(connections, fake.url, timeout_s=0.5))
        assert len(fake.asked(path)) == 1
    assert (raised.value.status, raised.value.service) == (503, "discord")


@pytest.mark.parametrize("ask", [by_code, by_id])
async def test_discord_that_is_not_there_is_unavailable(
    ask: Ask, connections: aiohttp.ClientSession, unused_port: int
) -> None:
    with pytest.raises(UpstreamUnavailable, match="cannot be reached") as raised:
        await ask(client(connections, f"http://127.0.0.1:{unused_port}"))
    assert (raised.value.status, raised.value.service) == (503, "discord")


@pytest.mark.parametrize(("ask", "path"), EVERY_CALL)
@pytest.mark.parametrize(
    "fault", [None, Fault(400), Fault(401), Fault(500), Fault(body=b"<html>"), Fault(is_cut=True)]
)
async def test_no_secret_gets_into_a_log_or_a_message(
    ask: Ask,
    path: str,
    fault: Fault | None,
    connections: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    async with FakeDiscord(faults={path: fault} if fault is not None else {}).serving() as fake:
        try:
            await ask(client(connections, fake.url))
        except NavigatorError as error:
            told = f"{error!r} {error.__cause__!r}"
    for secret in (CODE, CLIENT_SECRET, BOT_TOKEN, "access-token-0"):
        assert secret not in told + caplog.text
