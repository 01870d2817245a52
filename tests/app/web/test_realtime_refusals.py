"""Tests of `app/web/realtime.py`: tokens that are no good, and clients that send junk."""

import re

import jwt
import orjson
import pytest

from app.accounts.models import User
from app.accounts.roles import Approval, Role
from tests.listening import Refused
from tests.running import SUPERUSER_TOKEN, RunningNavigator
from tests.waiting import until

POLLING = "/socket.io/?EIO=4&transport=polling"


async def test_unusable_token_is_refused_with_the_reason(server: RunningNavigator) -> None:
    stale = await server.add_user("stale")
    await User.filter(id="stale").update(token_epoch=1)
    claims = {"discord_id": "stale"}
    tokens: dict[str, object] = {
        "jwt malformed": "garbage",
        "invalid signature": jwt.encode(claims, "another secret key, of somebody else", "HS256"),
        "jwt signature is required": jwt.encode(claims, None, "none"),
        "jwt expired": stale,
        "User is disabled": await server.add_user("denied", Role.APEX, Approval.DENIED),
        "Your account waits for approval": await server.add_user(
            "pending", Role.APPRENTICE, Approval.PENDING
        ),
    }
    for reason, token in tokens.items():
        with pytest.raises(Refused, match=re.escape(f"'message': '{reason}'")):
            async with server.listening(token):
                pass


async def test_polling_socket_reads_the_reason_too(server: RunningNavigator) -> None:
    sid = await open_polling(server)
    await server.request("POST", f"{POLLING}&sid={sid}", data=b'40{"token":"garbage"}')
    answer = await server.get(f"{POLLING}&sid={sid}")
    assert answer.content == b'44{"message":"jwt malformed"}'
    await server.request("POST", f"{POLLING}&sid={sid}", data=b"1")


async def open_polling(server: RunningNavigator) -> str:
    """Opens an Engine.IO connection by hand; gives its id."""
    opening = (await server.get(POLLING)).content
    assert opening[:1] == b"0"
    return str(orjson.loads(opening[1:])["sid"])


@pytest.mark.parametrize(
    "token", [5, True, ["a"], {"a": "b"}, "\0", "ä.ö.ü", "x" * 100_000, "a.b.c" * 1000]
)
async def test_junk_for_a_token_is_refused(server: RunningNavigator, token: object) -> None:
    with pytest.raises(Refused):
        async with server.listening(token):
            pass
    assert (await server.get("/")).status == 200


@pytest.mark.parametrize("auth", ["text", [], ["token"], 5, {"other": "x"}, {"token": ""}])
async def test_auth_without_a_token_is_a_socket_without_one(
    server: RunningNavigator, token: str, auth: object
) -> None:
    async with server.listening(auth=auth) as heard:
        job_id = (await server.submit(token))["job_id"]
        await heard.event("task-finished", job_id)


@pytest.mark.parametrize("form", ["Bearer {}", "{} ", "{}x", " {}"])
async def test_almost_the_superuser_token_is_refused(server: RunningNavigator, form: str) -> None:
    with pytest.raises(Refused):
        async with server.listening(form.format(SUPERUSER_TOKEN)):
            pass


async def test_what_clients_send_is_ignored(server: RunningNavigator, token: str) -> None:
    async with server.listening(token) as heard:
        await heard.client.emit("task-finished", {"job_id": "x"})
        await heard.client.emit("join", "user:other")
        await heard.client.emit("enter_room", b"\x00\xff" * 1000)
        await heard.client.emit("x" * 10_000, [[[[1]]]])
        job_id = (await server.submit(token))["job_id"]
        await heard.event("task-finished", job_id)
        assert {name for name, _ in heard.events} <= {
            "connected", "model-changed", "task-started", "task-progress", "task-finished",
        }  # fmt: skip


async def test_there_is_one_namespace(server: RunningNavigator) -> None:
    with pytest.raises(Refused):
        async with server.listening(namespace="/admin"):
            pass


@pytest.mark.parametrize(
    "packet",
    [b"4", b"4\xff\xfe", b"42", b"42[", b"42" + b"[" * 50_000, b"9", b"40/admin,", b"4" * 1000,
     b'42["\\ud800"]', b'40{"token":"\\ud800"}', b'451-["x",{"_placeholder":true,"num":0}]',
     b"\x1e\x1e\x1e", b"1"],
)  # fmt: skip
async def test_junk_packets_disturb_nobody(
    server: RunningNavigator, token: str, packet: bytes
) -> None:
    async with server.listening(token) as heard:
        sid = await open_polling(server)
        await server.request("POST", f"{POLLING}&sid={sid}", data=b"40{}")
        await server.request("POST", f"{POLLING}&sid={sid}", data=packet)
        job_id = (await server.submit(token))["job_id"]
        await heard.event("task-finished", job_id)


async def test_older_protocol_is_refused_with_400(server: RunningNavigator) -> None:
    for query in ("EIO=3&transport=polling", "transport=polling", "EIO=4&transport=carrier"):
        assert (await server.get(f"/socket.io/?{query}")).status == 400


async def test_raised_epoch_shuts_new_sockets_out(server: RunningNavigator) -> None:
    token = await server.add_user("1")
    async with server.listening(token):
        await User.filter(id="1").update(token_epoch=1)

    async def is_refused() -> bool:
        try:
            async with server.listening(token):
                return False
        except Refused:
            return True

    await until(is_refused)
