"""Tests of the client of Discord: what it asks for, and whom Discord refuses."""

import aiohttp
import pytest

from app.clients.discord import avatar_url
from app.errors import NotAuthenticated, UpstreamFailed
from tests.app.clients.asking_discord import CODE, REDIRECT_URI, by_code, by_id, client
from tests.contract import exchange
from tests.fakes.discord import (
    BOT_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    ME_PATH,
    TESTER_ID,
    TOKEN_PATH,
    FakeDiscord,
    profile,
)
from tests.fakes.serving import Fault


async def test_code_gives_the_profile_as_recorded(connections: aiohttp.ClientSession) -> None:
    async with FakeDiscord().serving() as fake:
        found = await by_code(client(connections, fake.url), "XYZ")
        second = await by_code(client(connections, fake.url), "USER:100000000000000002:second")
    assert found == exchange(27).answer["user"]
    assert second == exchange(28).answer["user"]


async def test_requests_of_a_login_are_those_of_the_contract(
    connections: aiohttp.ClientSession,
) -> None:
    async with FakeDiscord().serving() as fake:
        await by_code(client(connections, f"{fake.url}/"))
    exchanged, me = fake.requests
    assert (exchanged.method, exchanged.path) == ("POST", TOKEN_PATH)
    assert exchanged.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in exchanged.headers
    assert exchanged.form == {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "grant_type": "authorization_code",
        "code": CODE,
        "redirect_uri": REDIRECT_URI,
        "scope": "identify",
    }
    assert (me.method, me.path, me.form) == ("GET", ME_PATH, {})
    assert me.headers["Authorization"] == "Bearer access-token-0"


@pytest.mark.usefixtures("passwords_of_others")
async def test_passwords_for_other_programs_do_not_get_in_the_way(
    connections: aiohttp.ClientSession,
) -> None:
    async with FakeDiscord().serving() as fake:
        await by_code(client(connections, fake.url))
        await by_id(client(connections, fake.url))
    sent = [asked.headers.get("Authorization") for asked in fake.requests]
    assert sent == [None, "Bearer access-token-0", f"Bot {BOT_TOKEN}"]


async def test_profile_is_answered_unchanged(connections: aiohttp.ClientSession) -> None:
    odd = profile("42", "🦉\u202etest", None) | {"new key": [1, {"a": None}], "avatar": "a_0f"}
    async with FakeDiscord(users={"42": odd}).serving() as fake:
        assert await by_code(client(connections, fake.url), "USER:42:any") == odd
        assert await client(connections, fake.url).profile_of_id("42") == odd


async def test_id_is_asked_for_with_the_token_of_the_bot(
    connections: aiohttp.ClientSession,
) -> None:
    async with FakeDiscord().serving() as fake:
        found = await client(connections, fake.url).profile_of_id("100000000000000004")
    assert found == exchange(316).answer["user"]
    (asked,) = fake.requests
    assert (asked.method, asked.path) == ("GET", "/users/100000000000000004")
    assert asked.headers["Authorization"] == f"Bot {BOT_TOKEN}"


@pytest.mark.parametrize("user_id", ["999", "9" * 20])
async def test_id_that_discord_does_not_know_is_nobody(
    user_id: str, connections: aiohttp.ClientSession
) -> None:
    async with FakeDiscord().serving() as fake:
        assert await client(connections, fake.url).profile_of_id(user_id) is None
    assert len(fake.requests) == 1


@pytest.mark.parametrize("user_id", ["", "@me", "1/../@me", "1.5", "-7", "١٢", "1" * 21, "1\n"])
async def test_what_is_no_id_is_nobody_without_asking(
    user_id: str, connections: aiohttp.ClientSession
) -> None:
    async with FakeDiscord().serving() as fake:
        assert await client(connections, fake.url).profile_of_id(user_id) is None
    assert fake.requests == []


@pytest.mark.parametrize("code", ["BADCODE", "5", "null", "🦉", "a&client_id=1"])
async def test_refused_code_is_a_failed_login(
    code: str, connections: aiohttp.ClientSession
) -> None:
    async with FakeDiscord().serving() as fake:
        with pytest.raises(NotAuthenticated) as raised:
            await by_code(client(connections, fake.url), code)
    assert raised.value.message == exchange(18).answer["error"]
    assert (raised.value.status, raised.value.code) == (401, "LOGIN_FAILED")
    assert [asked.form["code"] for asked in fake.requests] == [code]


@pytest.mark.parametrize("code", ["", "x" * 10_000_000, "half \ud83e"])
async def test_impossible_code_is_a_failed_login_without_asking(
    code: str, connections: aiohttp.ClientSession
) -> None:
    async with FakeDiscord().serving() as fake:
        with pytest.raises(NotAuthenticated):
            await by_code(client(connections, fake.url), code)
    assert fake.requests == []


@pytest.mark.parametrize("status", [400, 403, 404, 413, 422])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": ["invalid_grant"]}'])
async def test_any_other_refusal_is_a_failed_login(
    status: int, body: bytes, connections: aiohttp.ClientSession
) -> None:
    async with FakeDiscord(faults={TOKEN_PATH: Fault(status, body)}).serving() as fake:
        with pytest.raises(NotAuthenticated):
            await by_code(client(connections, fake.url))


async def test_owner_is_told_of_a_wrong_redirect_address(
    connections: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeDiscord(redirect_uri="https://other.example.org").serving() as fake:
        with pytest.raises(NotAuthenticated):
            await by_code(client(connections, fake.url))
    (record,) = caplog.records
    assert "check DISCORD_REDIRECT_URI" in record.message


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault(400, b'{"error": "invalid_client"}'),
        Fault(400, b'{"error": "unauthorized_client"}'),
        Fault(401, b"<html>"),
    ],
)
async def test_credentials_that_discord_refuses_are_named(
    fault: Fault | None, connections: aiohttp.ClientSession
) -> None:
    faults = {TOKEN_PATH: fault} if fault is not None else {}
    async with FakeDiscord(faults=faults).serving() as fake:
        with pytest.raises(UpstreamFailed) as raised:
            await by_code(client(connections, fake.url, client_secret="another"))
    assert raised.value.code == "DISCORD_REFUSES_US"
    assert (raised.value.status, raised.value.service) == (502, "discord")
    assert "DISCORD_CLIENT_ID and DISCORD_CLIENT_SECRET" in raised.value.message


@pytest.mark.parametrize("bot_token", ["another", "with\r\nX-Header: 1", "", None])
async def test_bot_that_discord_refuses_is_named(
    bot_token: str | None, connections: aiohttp.ClientSession
) -> None:
    async with FakeDiscord().serving() as fake:
        with pytest.raises(UpstreamFailed, match="check DISCORD_BOT_TOKEN") as raised:
            await by_id(client(connections, fake.url, bot_token=bot_token))
    assert raised.value.code == "DISCORD_REFUSES_US"


async def test_without_credentials_discord_is_not_asked(connections: aiohttp.ClientSession) -> None:
    async with FakeDiscord().serving() as fake:
        for missing in ({"client_id": None}, {"client_secret": None}, {"client_secret": ""}):
            discord = client(connections, fake.url, **missing)
            assert not discord.is_configured
            with pytest.raises(NotAuthenticated):
                await by_code(discord)
    assert fake.requests == []
    assert client(connections, fake.url).is_configured


async def test_bot_is_there_with_a_token(connections: aiohttp.ClientSession) -> None:
    assert client(connections, "http://discord.invalid").has_bot
    assert not client(connections, "http://discord.invalid", bot_token=None).has_bot
    assert not client(connections, "http://discord.invalid", bot_token="").has_bot


@pytest.mark.parametrize(
    ("user_id", "avatar", "url"),
    [
        (TESTER_ID, "a_0f", f"https://cdn.discordapp.com/avatars/{TESTER_ID}/a_0f.png"),
        (TESTER_ID, None, None),
        (TESTER_ID, "../x", None),
        (TESTER_ID, "", None),
        ("demo_user", "a_0f", None),
    ],
)
def test_address_of_an_avatar(user_id: str, avatar: str | None, url: str | None) -> None:
    assert avatar_url(user_id, avatar) == url
