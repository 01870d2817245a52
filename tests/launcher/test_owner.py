"""Tests of `launcher/owner.py`, against a real Navigator."""

from pathlib import Path

import pytest

from app.accounts.roles import Role
from launcher.owner import Owner
from launcher.people import People
from tests.launcher.test_people import log_in
from tests.running import RunningNavigator


async def who(server: RunningNavigator, code: str) -> str:
    """Whom a code logs in."""
    answer = await server.post("/api/auth/login", {"code": code})
    return str(answer.json["user"]["id"])


async def test_owner_is_the_same_each_time_also_after_a_restart(
    server: RunningNavigator,
    people: People,
    tmp_path: Path,
) -> None:
    unused = await Owner(tmp_path).code(people)
    first = await who(server, await Owner(tmp_path).code(people))
    assert await who(server, await Owner(tmp_path).code(people)) == first
    assert unused


async def test_owner_who_was_forgotten_gets_a_new_account(
    server: RunningNavigator,
    people: People,
    tmp_path: Path,
) -> None:
    first = await who(server, await Owner(tmp_path).code(people))
    await Owner(tmp_path).code(people)
    boss = await server.add_user("boss", Role.APEX)
    gone = await server.request("DELETE", f"/api/admin/users/{first}", token=boss)
    assert gone.status in {200, 204}
    assert await who(server, await Owner(tmp_path).code(people)) != first


@pytest.mark.parametrize("text", ["", "[]", "{", '{"user_id": 5}'])
async def test_file_that_makes_no_sense_is_none(
    server: RunningNavigator,
    people: People,
    tmp_path: Path,
    text: str,
) -> None:
    (tmp_path / "owner.json").write_text(text)
    assert await log_in(server, await Owner(tmp_path).code(people)) == 200
