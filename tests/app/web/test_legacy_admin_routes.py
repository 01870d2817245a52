"""Tests of `app/web/legacy_admin_routes.py`, beside the recorded exchanges (`tests/parity`)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.accounts.models import User
from app.accounts.roles import Approval, Role
from tests.fakes.discord import FakeDiscord
from tests.running import SUPERUSER_TOKEN, Answer, RunningNavigator, running_navigator

AUTHORIZE, DISABLE = "/api/admin/authorize-user", "/api/admin/disable-user"
MIRA = "100000000000000004"


async def ask(server: RunningNavigator, path: str, *, method: str = "GET") -> Answer:
    """Asks as the superuser."""
    return await server.request(method, path, headers={"Authorization": SUPERUSER_TOKEN})


async def state(user_id: str) -> tuple[Role, Approval]:
    user = await User.get(id=user_id)
    return user.role, user.approval


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_first_user_becomes_apex_and_others_apprentices(
    server: RunningNavigator, method: str
) -> None:
    for user_id, role in (("1", Role.APEX), ("2", Role.APPRENTICE)):
        answer = await ask(server, f"{AUTHORIZE}/{user_id}", method=method)
        assert answer.json == {"message": "User authorized!", "discord_id": user_id}
        assert await state(user_id) == (role, Approval.APPROVED)


async def test_authorizing_again_lowers_nobody(server: RunningNavigator) -> None:
    await server.add_user("1", Role.APEX)
    await server.add_user("2", Role.ARCHITECT)
    assert (await ask(server, f"{AUTHORIZE}/2")).status == 200
    assert await state("2") == (Role.ARCHITECT, Approval.APPROVED)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_disabling_shuts_out_and_never_promotes(
    server: RunningNavigator, method: str
) -> None:
    answer = await ask(server, f"{DISABLE}/777", method=method)
    assert answer.json == {"message": "User disabled!", "discord_id": "777"}
    assert await state("777") == (Role.NONE, Approval.DENIED)


async def test_nobody_disables_themselves_and_all_is_as_before(server: RunningNavigator) -> None:
    token = await server.add_user("1", Role.APEX)
    answer = await server.get(f"{DISABLE}/1", token=token)
    assert (answer.status, answer.json["error"]) == (400, "You cannot disable yourself!")
    assert (await server.get("/api/user/me", token=token)).status == 200


@pytest.mark.parametrize(
    "odd", ["abc", "1.5", "-7", "1e3", "%20", "1%202", "9" * 20, "9" * 400, "%D9%A1", "0x1", "+1"]
)
async def test_what_is_no_discord_id_is_refused(server: RunningNavigator, odd: str) -> None:
    for path in (AUTHORIZE, DISABLE):
        answer = await ask(server, f"{path}/{odd}")
        assert (answer.status, answer.json["error"]) == (400, "Discord ID must be a number")
    assert await User.filter(provider__isnull=False).count() == 0


@pytest.fixture
async def asking(tmp_path: Path) -> AsyncIterator[tuple[RunningNavigator, FakeDiscord]]:
    """A Navigator with a bot's token, and its Discord."""
    async with (
        FakeDiscord().serving() as discord,
        running_navigator(
            tmp_path, DISCORD_API_BASE=discord.url, DISCORD_BOT_TOKEN=discord.bot_token
        ) as server,
    ):
        yield server, discord


async def test_discord_is_asked_for_name_and_avatar(
    asking: tuple[RunningNavigator, FakeDiscord],
) -> None:
    server, _ = asking
    answer = await ask(server, f"{AUTHORIZE}/{MIRA}")
    assert answer.json["user"]["id"] == MIRA
    user = await User.get(id=MIRA)
    assert user.name == answer.json["user"]["global_name"]
    assert user.avatar == answer.json["user"]["avatar"]


async def test_id_that_discord_does_not_know_lets_nobody_in(
    asking: tuple[RunningNavigator, FakeDiscord],
) -> None:
    server, _ = asking
    answer = await ask(server, f"{AUTHORIZE}/999")
    assert (answer.status, answer.json["error"]) == (400, "Failed to validate Discord ID!")
    assert not await User.exists(id="999")
