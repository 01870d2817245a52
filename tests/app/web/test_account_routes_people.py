"""Tests of `app/web/account_routes.py`: people from Discord, whom the owner lets in or not."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.accounts.models import User
from app.accounts.roles import Role
from tests.databases import free_port
from tests.fakes.discord import ME_PATH, TOKEN_PATH, FakeDiscord, FakeWebhook
from tests.fakes.serving import Fault
from tests.running import Answer, RunningNavigator, running_navigator
from tests.waiting import until

CODE = "USER:100000000000000002:mira"
MIRA = "100000000000000002"
LOGIN = "/api/auth/login"


@dataclass
class Town:
    """A Navigator, its Discord, and the webhook of its owner."""

    server: RunningNavigator
    discord: FakeDiscord
    webhook: FakeWebhook

    async def login(self, code: str = CODE) -> Answer:
        """Posts a code of Discord's."""
        return await self.server.post(LOGIN, {"code": code})


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with (
        FakeDiscord().serving() as discord,
        FakeWebhook().serving() as webhook,
        running_navigator(
            tmp_path,
            DISCORD_API_BASE=discord.url,
            DISCORD_CLIENT_ID=discord.client_id,
            DISCORD_CLIENT_SECRET=discord.client_secret,
            NOTIFY_WEBHOOK_URL=webhook.url,
        ) as server,
    ):
        yield Town(server, discord, webhook)


async def test_friend_knocks_the_owner_is_told_and_one_click_lets_them_in(town: Town) -> None:
    boss = await town.server.add_user("boss", Role.APEX)
    async with town.server.listening(boss) as heard:
        for _ in range(3):
            refused = await town.login()
            assert (refused.status, refused.json["error_code"]) == (403, "USER_PENDING")
        told = await heard.told("user-pending")
        assert (told["user"]["id"], told["user"]["name"]) == (MIRA, "mira")
        assert told["address"] == "127.0.0.1"
        await until(lambda: bool(town.webhook.messages))
        assert "mira" in str(town.webhook.messages[0])
        approved = await town.server.post(f"/api/admin/users/{MIRA}/approve", token=boss)
        assert approved.status == 200
        login = await town.login()
        assert (login.status, login.json["role"], login.json["user"]["id"]) == (200, 1, MIRA)
        assert len(heard.named("user-pending")) == 1
    assert len(town.webhook.messages) == 1
    assert await User.filter(id=MIRA).count() == 1
    await town.server.picture(login.json["token"])


async def test_friend_who_was_denied_is_told_so(town: Town) -> None:
    boss = await town.server.add_user("boss", Role.APEX)
    await town.login()
    await town.server.post(f"/api/admin/users/{MIRA}/deny", token=boss)
    refused = await town.login()
    assert (refused.status, refused.json["error_code"]) == (403, "USER_DISABLED")


async def test_redirect_uri_is_the_one_that_the_browser_used(town: Town) -> None:
    await town.login()
    form = town.discord.asked(TOKEN_PATH)[0].form
    assert form["redirect_uri"] == town.server.url


@pytest.mark.parametrize("path", [TOKEN_PATH, ME_PATH])
async def test_broken_discord_is_told_and_nobody_is_let_in(town: Town, path: str) -> None:
    for fault in (Fault(status=500), Fault(body=b"<html>"), Fault(is_cut=True)):
        town.discord.faults[path] = fault
        answer = await town.login()
        assert answer.status in {502, 503}, answer.json
        assert answer.json["error_code"].startswith("UPSTREAM")
    assert not await User.exists(id=MIRA)
    town.discord.faults.clear()
    assert (await town.login()).status == 403


async def test_discord_that_is_away_is_told(tmp_path: Path) -> None:
    async with running_navigator(
        tmp_path,
        DISCORD_API_BASE=f"http://127.0.0.1:{free_port()}",
        DISCORD_CLIENT_ID="1",
        DISCORD_CLIENT_SECRET="2",
    ) as server:
        answer = await server.post(LOGIN, {"code": "x"})
        assert (answer.status, answer.json["error_code"]) == (503, "UPSTREAM_UNAVAILABLE")
        # Who needs no Discord comes in all the same.
        assert (await server.post(LOGIN, {"code": "DEMO_USER"})).status == 200


async def test_owner_who_cannot_be_told_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with (
        FakeDiscord().serving() as discord,
        running_navigator(
            tmp_path,
            DISCORD_API_BASE=discord.url,
            DISCORD_CLIENT_ID=discord.client_id,
            DISCORD_CLIENT_SECRET=discord.client_secret,
            NOTIFY_WEBHOOK_URL=f"http://127.0.0.1:{free_port()}/hook",
        ) as server,
    ):
        answer = await server.post(LOGIN, {"code": CODE})
        assert answer.json["error_code"] == "USER_PENDING"
