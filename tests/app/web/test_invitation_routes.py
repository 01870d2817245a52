"""Tests of `app/web/invitation_routes.py`. Who may call them: `test_access_matrix.py`."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from app.accounts.models import Invitation
from app.accounts.roles import Approval, Role
from tests.running import RunningNavigator

PATH = "/api/admin/invitations"
BAD: Mapping[str, Sequence[object]] = {
    "role": (0, 5, "x", True, None, 1.5),
    "uses": (0, -1, 1001, 1.5, "many", True, None),
    "name": (5, None, [], "x" * 256),
    "expires_in_s": (0, -1, 10**9, "x", True, 2**80),
    "preapproved": ("yes", 1, None),
}


@pytest.fixture
async def boss(server: RunningNavigator) -> str:
    return await server.add_user("boss", Role.APEX)


async def invite(server: RunningNavigator, token: str, **body: Any) -> Any:
    """Makes an invitation; gives the answer."""
    answer = await server.post(PATH, body, token=token)
    assert answer.status == 201, answer.json
    return answer.json


async def test_link_lets_a_friend_in_who_has_no_account_anywhere(
    server: RunningNavigator, boss: str
) -> None:
    made = await invite(server, boss, name="Mira", role=2)
    assert made["link"] == f"{server.url}/?code={made['code']}"
    assert made["qr_svg"].startswith("<svg")
    assert base64.b64decode(made["qr_png"].partition(",")[2])[:4] == b"\x89PNG"
    login = await server.post("/api/auth/login", {"code": made["code"]})
    assert (login.status, login.json["role"]) == (200, 2)
    assert login.json["user"]["global_name"] == "Mira"
    me = await server.get("/api/user/me", token=login.json["token"])
    assert me.json["user"]["discord_id"] == login.json["user"]["id"]
    assert "exp" not in me.json["user"]  # there is no other way for them to log in again
    await server.picture(login.json["token"])


async def test_friend_who_is_to_be_approved_waits_and_then_comes_in(
    server: RunningNavigator, boss: str
) -> None:
    made = await invite(server, boss, name="Mira", preapproved=False)
    async with server.listening(boss) as heard:
        for _ in range(2):
            refused = await server.post("/api/auth/login", {"code": made["code"]})
            assert (refused.status, refused.json["error_code"]) == (403, "USER_PENDING")
        told = await heard.told("user-pending")
    user_id = told["user"]["id"]
    assert (await server.post(f"/api/admin/users/{user_id}/approve", token=boss)).status == 200
    login = await server.post("/api/auth/login", {"code": made["code"]})
    assert (login.status, login.json["user"]["id"]) == (200, user_id)


async def test_code_is_shown_once(server: RunningNavigator, boss: str) -> None:
    made = await invite(server, boss, name="Mira", uses=3)
    listed = await server.get(PATH, token=boss)
    assert listed.json["count"] == 1
    shown = listed.json["invitations"][0]
    assert (shown["name"], shown["max_uses"], shown["uses"]) == ("Mira", 3, 0)
    assert made["code"].encode() not in listed.content
    assert shown == {name: made[name] for name in shown}


async def test_withdrawn_invitation_is_refused_with_its_reason(
    server: RunningNavigator, boss: str
) -> None:
    made = await invite(server, boss)
    assert (await server.request("DELETE", f"{PATH}/{made['id']}", token=boss)).status == 204
    refused = await server.post("/api/auth/login", {"code": made["code"]})
    assert (refused.status, refused.json["error_code"]) == (401, "INVITATION_REVOKED")
    assert "Set-Cookie" not in refused.headers
    assert (await server.request("DELETE", f"{PATH}/unknown", token=boss)).status == 404


async def test_way_back_in_is_for_one_account(server: RunningNavigator, boss: str) -> None:
    await server.add_user("mira", Role.ARTIFICER)
    answer = await server.post("/api/admin/users/mira/login-link", token=boss)
    assert (answer.status, answer.json["user_id"]) == (201, "mira")
    assert answer.json["expires_at"] is not None
    login = await server.post("/api/auth/login", {"code": answer.json["code"]})
    assert (login.json["user"]["id"], login.json["role"]) == ("mira", 2)
    await server.add_user("ben", Role.NONE, Approval.DENIED)
    assert (await server.post("/api/admin/users/ben/login-link", token=boss)).status == 409


@pytest.mark.parametrize(
    ("body", "name"),
    [({name: value}, name) for name, values in BAD.items() for value in values],
)
async def test_what_makes_no_sense_is_named(
    server: RunningNavigator, boss: str, body: dict[str, Any], name: str
) -> None:
    answer = await server.post(PATH, body, token=boss)
    assert (answer.status, name in answer.json["error"]) == (400, True), answer.json
    assert not await Invitation.exists()


async def test_invitation_may_last_for_ever(server: RunningNavigator, boss: str) -> None:
    assert (await invite(server, boss, expires_in_s=None))["expires_at"] is None


async def test_nobody_invites_to_a_role_above_their_own(server: RunningNavigator) -> None:
    architect = await server.add_user("architect", Role.ARCHITECT)
    assert (await server.post(PATH, {"role": 4}, token=architect)).status == 403


async def test_friends_who_share_an_invitation_and_an_address_wait_each_for_themselves(
    server: RunningNavigator, boss: str
) -> None:
    made = await invite(server, boss, uses=5, preapproved=False)
    cookies = []
    for _ in range(2):
        refused = await server.post("/api/auth/login", {"code": made["code"]})
        assert refused.json["error_code"] == "USER_PENDING"
        cookie = refused.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        cookies.append(cookie.partition(";")[0])
    waiting = (await server.get("/api/admin/users?state=pending", token=boss)).json["users"]
    assert len(waiting) == 2
    first = waiting[-1]["id"]
    await server.post(f"/api/admin/users/{first}/approve", token=boss)
    opened = [
        await server.post("/api/auth/login", {"code": made["code"]}, headers={"Cookie": cookie})
        for cookie in cookies
    ]
    assert sorted(answer.status for answer in opened) == [200, 403]
    # What lets somebody come again is no login.
    for cookie in cookies:
        token = cookie.partition("=")[2]
        assert (await server.get("/api/user/me", token=token)).status == 401
