"""Tests of `app/web/account_routes.py`: what was recorded of login and of `/api/user/me`."""

from pathlib import Path

import jwt
import pytest

from app.accounts.models import User
from app.accounts.roles import Approval, Role
from tests.contract import compare, exchange
from tests.running import SECRET_KEY, SUPERUSER_TOKEN, RunningNavigator, running_navigator
from tests.waiting import until

ME = "/api/user/me"
LOGIN = "/api/auth/login"


async def test_demo_user_logs_in_as_recorded(server: RunningNavigator) -> None:
    recorded = exchange(29)
    answer = await server.replay(recorded)
    compare(recorded, answer.status, answer.json)
    assert answer.json["user"] == recorded.answer["user"]
    assert answer.json["role"] == Role.ARTIFICER


async def test_demo_token_lasts_three_hours(server: RunningNavigator) -> None:
    token = (await server.post(LOGIN, {"code": "DEMO_USER"})).json["token"]
    claims = jwt.decode(token, SECRET_KEY, algorithms=["HS256"])
    assert claims["exp"] - claims["iat"] == 3 * 3600
    assert claims["discord_id"] == "demo_user"


@pytest.mark.parametrize(
    ("number", "but"),
    [
        (15, {}),
        (16, {"error": "says in addition that the code must be text"}),
        (17, {"error": "says in addition that the code must be text"}),
        (18, {}),
    ],
)
async def test_login_is_refused_as_recorded(
    server: RunningNavigator, number: int, but: dict[str, str]
) -> None:
    recorded = exchange(number)
    answer = await server.replay(recorded)
    compare(recorded, answer.status, answer.json, but=but)
    assert "token" not in answer.json


@pytest.mark.parametrize(
    ("code", "status", "error_code"),
    [
        ("", 400, "CODE_REQUIRED"),
        ([], 401, "LOGIN_FAILED"),
        ({"$ne": ""}, 401, "LOGIN_FAILED"),
        (True, 401, "LOGIN_FAILED"),
        ("demo_user", 401, "LOGIN_FAILED"),
        ("DEMO_USER\0", 401, "LOGIN_FAILED"),
        (" DEMO_USER", 401, "LOGIN_FAILED"),
        ("x" * 2_048, 401, "LOGIN_FAILED"),
        ("x" * 2_049, 401, "LOGIN_FAILED"),
        ("x" * 1_000_000, 401, "LOGIN_FAILED"),
        ("x" * 10_000_000, 413, "BODY_TOO_LARGE"),
        (SUPERUSER_TOKEN, 401, "LOGIN_FAILED"),
    ],
)
async def test_other_codes_log_nobody_in(
    server: RunningNavigator, code: object, status: int, error_code: str
) -> None:
    answer = await server.post(LOGIN, {"code": code})
    assert (answer.status, answer.json["error_code"]) == (status, error_code)


async def test_demo_user_is_refused_as_recorded_while_switched_off(tmp_path: Path) -> None:
    async with running_navigator(tmp_path / "on") as server:
        token = await server.login()
    async with running_navigator(tmp_path / "off", ENABLE_DEMO_USER="false") as server:
        answer = await server.replay(exchange(304))
        compare(exchange(304), answer.status, answer.json)
        answer = await server.replay(exchange(305), token=token)
        compare(exchange(305), answer.status, answer.json)


async def test_me_shows_the_claims_as_recorded(server: RunningNavigator) -> None:
    token = await server.add_user("100000000000000001", Role.APEX)
    answer = await server.replay(exchange(38), token=token)
    compare(exchange(38), answer.status, answer.json)
    claims = jwt.decode(token, SECRET_KEY, algorithms=["HS256"])
    assert answer.json["user"] == {
        "discord_id": "100000000000000001",
        "role": 4,
        "iat": claims["iat"],
        "exp": claims["exp"],
    }


async def test_me_without_expiry_has_no_exp(server: RunningNavigator) -> None:
    token = await server.add_user("1", lifetime_s=None)
    assert set((await server.get(ME, token=token)).json["user"]) == {"discord_id", "role", "iat"}


async def test_me_shows_the_role_of_now_not_of_the_token(server: RunningNavigator) -> None:
    token = await server.add_user("100000000000000002", Role.APEX)
    await User.filter(id="100000000000000002").update(role=Role.APPRENTICE)
    answer = await server.replay(exchange(39), token=token)
    compare(exchange(39), answer.status, answer.json)
    assert answer.json["user"]["role"] == Role.APPRENTICE


async def test_me_of_the_demo_user_is_as_recorded(server: RunningNavigator, token: str) -> None:
    answer = await server.replay(exchange(41), token=token)
    compare(exchange(41), answer.status, answer.json)
    assert answer.json["user"]["discord_id"] == "demo_user"


async def test_any_scheme_word_is_accepted_as_recorded(server: RunningNavigator) -> None:
    token = await server.add_user("1", Role.APEX)
    for header in (f"Foo {token}", f"bearer {token}", f"Bearer  {token}"):
        answer = await server.get(ME, headers={"Authorization": header})
        compare(exchange(32), answer.status, answer.json)


async def test_missing_header_is_refused_as_recorded(server: RunningNavigator) -> None:
    answer = await server.replay(exchange(30))
    compare(exchange(30), answer.status, answer.json)
    assert answer.json["error_code"] == "NOT_AUTHENTICATED"


async def test_unusable_headers_are_refused_as_recorded(server: RunningNavigator) -> None:
    token = await server.add_user("1")
    claims = {"discord_id": "1", "role": 4, "epoch": 0}
    headers = {
        31: token,
        33: "Bearer garbage",
        34: f"Bearer {jwt.encode(claims, 'another secret key, of somebody else', 'HS256')}",
        35: f"Bearer {jwt.encode(claims | {'exp': 1}, SECRET_KEY, 'HS256')}",
        36: f"Bearer {jwt.encode(claims, None, 'none')}",
        37: "",
    }
    for number, header in headers.items():
        answer = await server.get(ME, headers={"Authorization": header})
        compare(exchange(number), answer.status, answer.json)


async def test_superuser_is_recognised_by_the_whole_header(server: RunningNavigator) -> None:
    answer = await server.get(ME, headers={"Authorization": SUPERUSER_TOKEN})
    compare(exchange(40), answer.status, answer.json)
    # The token itself is never shown, unlike in the recording.
    assert answer.json == {"user": {"discord_id": "superuser", "role": 4}}
    for header in (f"Bearer {SUPERUSER_TOKEN}", SUPERUSER_TOKEN[:-1], f"{SUPERUSER_TOKEN}x"):
        assert (await server.get(ME, headers={"Authorization": header})).status == 401


@pytest.mark.parametrize(
    ("number", "role", "approval"),
    [
        (42, None, None),
        (51, Role.NONE, Approval.APPROVED),
        (51, Role.APEX, Approval.DENIED),
    ],
)
async def test_who_is_not_let_in_is_refused_as_recorded(
    server: RunningNavigator, number: int, role: Role | None, approval: Approval | None
) -> None:
    token = await server.add_user(
        "9",
        Role.APEX if role is None else role,
        Approval.APPROVED if approval is None else approval,
    )
    if role is None:
        await User.filter(id="9").delete()
    answer = await server.replay(exchange(number), token=token)
    compare(exchange(number), answer.status, answer.json)


async def test_who_waits_for_approval_is_told_so(server: RunningNavigator) -> None:
    token = await server.add_user("9", Role.APPRENTICE, Approval.PENDING)
    answer = await server.get(ME, token=token)
    assert (answer.status, answer.json["error_code"]) == (403, "USER_PENDING")
    assert answer.json["message"] == "Forbidden"


async def test_stale_token_is_refused_before_its_user_is_looked_at(
    server: RunningNavigator,
) -> None:
    token = await server.add_user("9", Role.NONE, Approval.DENIED)
    await User.filter(id="9").update(token_epoch=1)
    answer = await server.get(ME, token=token)
    assert (answer.status, answer.json["error"]) == (401, "jwt expired")


async def test_disabled_user_is_locked_out_within_a_second(server: RunningNavigator) -> None:
    token = await server.add_user("9")
    assert (await server.get(ME, token=token)).status == 200
    await User.filter(id="9").update(role=Role.NONE)

    async def is_locked_out() -> bool:
        return (await server.get(ME, token=token)).status == 403

    await until(is_locked_out, timeout_s=1)


@pytest.mark.parametrize(
    "header",
    [b"Bearer \xff\xfe", b"Bearer \xc3\xa9.\xc3\xa9.\xc3\xa9", b"Bearer a.b.c d", b"Bearer ..",
     b"Bearer " + b"A" * 30_000, b"Bearer eyJhbGciOiJIUzI1NiJ9", b"\xff", b" ", b"Bearer "],
)  # fmt: skip
async def test_junk_in_the_header_is_401(server: RunningNavigator, header: bytes) -> None:
    text = header.decode("utf-8", "surrogateescape")
    answer = await server.get(ME, headers={"Authorization": text})
    assert answer.status == 401
    assert answer.json["message"] == "Unauthorized"
