"""Programs of the owner's, such as the launcher: they may do everything, and own nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.accounts.caller import LAUNCHER_ID
from tests.running import CHECKPOINT, JOB_PATH, RunningNavigator, running_navigator

TOKEN = "the token that the launcher drew"
HEADERS = {"Authorization": TOKEN}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator with a launcher."""
    async with running_navigator(tmp_path, programs={TOKEN: LAUNCHER_ID}) as running:
        yield running


async def test_launcher_may_what_administrators_may(server: RunningNavigator) -> None:
    assert (await server.get("/api/admin/status", headers=HEADERS)).status == 200
    await server.add_user("mira")
    for decision in ("sign-out", "disable", "approve"):
        answer = await server.post(f"/api/admin/users/mira/{decision}", headers=HEADERS)
        assert answer.status == 200
    audit = await server.get("/api/admin/audit", headers=HEADERS)
    assert {entry["actor"] for entry in audit.json["entries"]} == {LAUNCHER_ID}
    me = await server.get("/api/user/me", headers=HEADERS)
    assert me.json["user"] == {"discord_id": LAUNCHER_ID, "role": 4}


async def test_nothing_can_belong_to_the_launcher(server: RunningNavigator) -> None:
    body = {"model_name": CHECKPOINT, "prompt": "a fox", "width": 64, "height": 64}
    for path, sent in (
        (JOB_PATH, body),
        ("/api/user/category", {"name": "own"}),
        ("/api/user/sign-out", None),
    ):
        answer = await server.post(path, sent, headers=HEADERS)
        assert (answer.status, answer.json["error_code"]) == (403, "FORBIDDEN"), path


async def test_launcher_hears_who_knocks(server: RunningNavigator) -> None:
    boss = await server.add_user("boss")
    async with server.listening(TOKEN) as heard, server.listening(boss) as friend:
        await server.add_user("mira")
        await server.post("/api/admin/users/mira/disable", headers=HEADERS)
        told = await heard.told("user-disabled")
        assert told["user"]["id"] == "mira"
        assert friend.named("user-disabled") == []


async def test_token_of_a_program_is_no_other_word(server: RunningNavigator) -> None:
    answers = await asyncio.gather(
        *(
            server.get("/api/admin/status", headers={"Authorization": other})
            for other in (f"Bearer {TOKEN}", TOKEN[:-1], TOKEN.upper())
        )
    )
    assert [answer.status for answer in answers] == [401, 401, 401]
