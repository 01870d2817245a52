"""Tests of `app/web/admin_user_routes.py`. Who may call them: `test_access_matrix.py`."""

from typing import Any

import pytest

from app.accounts.models import AuditEntry, User
from app.accounts.roles import Approval, Role
from app.generation.models import Image
from tests.running import CHECKPOINT, JOB_PATH, Answer, RunningNavigator

USERS = "/api/admin/users"


@pytest.fixture
async def boss(server: RunningNavigator) -> str:
    return await server.add_user("boss", Role.APEX)


async def decide(server: RunningNavigator, token: str, decision: str, **body: Any) -> Answer:
    """Decides about the user `mira`."""
    return await server.post(f"{USERS}/mira/{decision}", body or None, token=token)


async def test_users_are_listed_without_those_of_navigator_itself(
    server: RunningNavigator, boss: str
) -> None:
    await server.add_user("mira", Role.NONE, Approval.DENIED)
    answer = await server.get(USERS, token=boss)
    assert (answer.json["count"], answer.json["page"]) == (2, 1)
    assert {user["id"]: user["state"] for user in answer.json["users"]} == {
        "boss": "approved",
        "mira": "disabled",
    }
    some = await server.get(f"{USERS}?state=disabled&search=MIR&limit=1&page=1", token=boss)
    assert [user["id"] for user in some.json["users"]] == ["mira"]
    assert (await server.get(f"{USERS}?page=2", token=boss)).json["users"] == []
    one = await server.get(f"{USERS}/mira", token=boss)
    assert one.json == some.json["users"][0]
    assert (await server.get(f"{USERS}/nobody", token=boss)).status == 404


@pytest.mark.parametrize(
    ("query", "name"),
    [("state=x", "state"), ("limit=201", "limit"), ("page=-1", "page"), ("search=%00", "search"),
     ("search=" + "x" * 101, "search")],
)  # fmt: skip
async def test_query_that_makes_no_sense_is_named(
    server: RunningNavigator, boss: str, query: str, name: str
) -> None:
    answer = await server.get(f"{USERS}?{query}", token=boss)
    assert answer.status == 400
    assert name in answer.json["error"]


async def test_friend_is_let_in_given_a_role_and_shut_out(
    server: RunningNavigator, boss: str
) -> None:
    token = await server.add_user("mira", Role.NONE, Approval.PENDING)
    approved = await decide(server, boss, "approve", role=2)
    assert (approved.json["state"], approved.json["role"]) == ("approved", 2)
    assert (await server.get("/api/user/me", token=token)).json["user"]["role"] == 2
    assert (await decide(server, boss, "role", role=1)).json["role"] == 1
    assert (await decide(server, boss, "deny")).status == 409
    assert (await decide(server, boss, "disable")).json["state"] == "disabled"
    refused = await server.get("/api/user/me", token=token)
    assert (refused.status, refused.json["error"]) == (401, "jwt expired")
    assert (await decide(server, boss, "approve")).json["role"] == 1
    entries = (await server.get("/api/admin/audit?subject=mira", token=boss)).json["entries"]
    assert [entry["action"] for entry in entries] == ["approve", "disable", "set-role", "approve"]
    assert {(entry["actor"], entry["address"]) for entry in entries} == {("boss", "127.0.0.1")}


async def test_signing_out_makes_all_tokens_void(server: RunningNavigator, boss: str) -> None:
    token = await server.add_user("mira")
    assert (await decide(server, boss, "sign-out")).status == 200
    assert (await server.get("/api/user/me", token=token)).status == 401


async def test_everybody_may_sign_themselves_out(server: RunningNavigator) -> None:
    token = await server.add_user("mira")
    answer = await server.post("/api/user/sign-out", token=token)
    assert answer.status == 200
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert (await server.get("/api/user/me", token=token)).status == 401


@pytest.mark.parametrize("role", [0, 5, -1, 1.5, True, "x", [], {}, "9" * 400])
async def test_role_that_is_none_is_refused_by_name(
    server: RunningNavigator, boss: str, role: object
) -> None:
    await server.add_user("mira")
    for decision in ("role", "approve"):
        answer = await decide(server, boss, decision, role=role)
        assert (answer.status, "role" in answer.json["error"]) == (400, True)
    assert (await User.get(id="mira")).role == Role.APPRENTICE


async def test_role_is_needed_to_give_one(server: RunningNavigator, boss: str) -> None:
    await server.add_user("mira")
    assert (await decide(server, boss, "role")).status == 400


async def test_architects_rule_those_below_them(server: RunningNavigator, boss: str) -> None:
    architect = await server.add_user("architect", Role.ARCHITECT)
    await server.add_user("mira", Role.APEX)
    for decision, body in (("disable", {}), ("sign-out", {}), ("role", {"role": 1})):
        answer = await decide(server, architect, decision, **body)
        assert (answer.status, answer.json["error_code"]) == (403, "FORBIDDEN")
    assert (await server.request("DELETE", f"{USERS}/mira", token=architect)).status == 403
    await User.filter(id="mira").update(role=Role.APPRENTICE)
    assert (await decide(server, architect, "role", role=4)).status == 403
    assert (await decide(server, architect, "role", role=3)).status == 200


async def test_last_apex_and_oneself_are_safe(server: RunningNavigator, boss: str) -> None:
    answer = await server.post(f"{USERS}/boss/disable", token=boss)
    assert (answer.status, answer.json["error_code"]) == (400, "ONESELF")
    answer = await server.post(f"{USERS}/boss/role", {"role": 1}, token=boss)
    assert (answer.status, answer.json["error_code"]) == (409, "LAST_APEX")


@pytest.mark.parametrize("pictures", [True, False])
async def test_forgotten_user_is_out_and_their_pictures_if_they_shall(
    server: RunningNavigator, boss: str, pictures: bool
) -> None:
    token = await server.add_user("mira")
    picture = await server.picture(token)
    await server.post("/api/user/category", {"name": "own"}, token=token)
    path = f"{USERS}/mira?pictures={str(pictures).lower()}"
    assert (await server.request("DELETE", path, token=boss)).status == 204
    assert (await server.get("/api/user/me", token=token)).status == 401
    assert (await server.get(f"/api/images/{picture}")).status == (404 if pictures else 200)
    assert await Image.exists(id=picture) != pictures
    shown = (await server.get(f"{USERS}/mira", token=boss)).json
    assert (shown["state"], shown["name"], shown["role"]) == ("forgotten", "", 0)


async def test_audit_log_has_pages(server: RunningNavigator, boss: str) -> None:
    await server.add_user("mira")
    for _ in range(3):
        await decide(server, boss, "sign-out")
    answer = await server.get("/api/admin/audit?limit=2", token=boss)
    assert (answer.json["count"], len(answer.json["entries"])) == (3, 2)
    assert answer.json["entries"][0]["id"] == (await AuditEntry.all().order_by("-id").first()).id  # type: ignore[union-attr]
    assert (await server.get("/api/admin/audit?limit=x1&page=0", token=boss)).status == 200


@pytest.mark.parametrize("user_id", ["%00", "%F0%9F%A6%8A", "x" * 3000, "..%2F", "'--", "%20boss"])
async def test_ids_that_are_none_are_not_found(
    server: RunningNavigator, boss: str, user_id: str
) -> None:
    for decision in ("approve", "deny", "disable", "sign-out", "login-link"):
        answer = await server.post(f"{USERS}/{user_id}/{decision}", token=boss)
        assert answer.status == 404, answer.json


async def test_subject_that_cannot_be_has_no_entries(server: RunningNavigator, boss: str) -> None:
    answer = await server.get(f"/api/admin/audit?subject={'x' * 5000}", token=boss)
    assert (answer.status, answer.json["count"]) == (200, 0)


async def test_picture_of_a_forgotten_user_keeps_its_file(
    server: RunningNavigator, boss: str
) -> None:
    picture = await server.picture(await server.add_user("mira"))
    before = (await server.get(f"/api/images/{picture}")).content
    assert (await server.request("DELETE", f"{USERS}/mira", token=boss)).status == 204
    other = await server.add_user("ben")
    body = {"model_name": CHECKPOINT, "prompt": "x", "job_id": picture}
    assert (await server.post(JOB_PATH, body, token=other)).status == 409
    assert (await server.get(f"/api/images/{picture}")).content == before


async def test_what_administrators_do_to_jobs_of_others_is_written_down(
    server: RunningNavigator, boss: str
) -> None:
    token = await server.add_user("mira")
    await server.post("/api/admin/queue/pause", token=boss)
    for by in (boss, token):
        job_id = (await server.submit(token))["job_id"]
        assert (await server.post(f"/api/queue/interrupt/{job_id}", token=by)).status == 200
    entries = (await server.get("/api/admin/audit?subject=mira", token=boss)).json["entries"]
    assert [(entry["actor"], entry["action"]) for entry in entries] == [("boss", "cancel-job")]


async def test_demo_users_do_not_sign_each_other_out(server: RunningNavigator) -> None:
    token = await server.login()
    assert (await server.post("/api/user/sign-out", token=token)).status == 400
    assert (await server.get("/api/user/me", token=token)).status == 200
