"""Tests of `app/web/cors.py`: browsers on other origins may use everything outside socket.io."""

import pytest

from tests.contract import exchange
from tests.running import JOB_PATH, RunningNavigator

ORIGIN = {"Origin": "https://compass.example"}


def listed(header: str) -> set[str]:
    """The entries of a header that is a list."""
    return {entry.strip().lower() for entry in header.split(",")}


@pytest.mark.parametrize("number", [4, 5])
async def test_preflight_allows_what_was_recorded_and_more(
    server: RunningNavigator, number: int
) -> None:
    recorded = exchange(number)
    answer = await server.replay(recorded, headers=recorded.headers)
    assert answer.status == recorded.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert listed(answer.headers["Access-Control-Allow-Methods"]) == {
        "get", "head", "post", "put", "patch", "delete", "options",
    }  # fmt: skip
    assert listed(answer.headers["Access-Control-Allow-Headers"]) >= {
        "origin", "x-requested-with", "content-type", "accept", "authorization", "range",
    }  # fmt: skip


async def test_preflight_needs_neither_route_nor_token(server: RunningNavigator) -> None:
    for path in (JOB_PATH, "/api/images/x", "/api/user/category/1", "/nothing"):
        headers = {**ORIGIN, "Access-Control-Request-Method": "PATCH"}
        answer = await server.request("OPTIONS", path, headers=headers)
        assert (answer.status, answer.content) == (200, b"")
        assert "patch" in listed(answer.headers["Access-Control-Allow-Methods"])


async def test_every_answer_may_be_read(server: RunningNavigator, token: str) -> None:
    picture = await server.picture(token)
    answers = {
        200: await server.get("/", headers=ORIGIN),
        206: await server.get(f"/api/images/{picture}", headers={**ORIGIN, "Range": "bytes=0-1"}),
        304: await server.get(f"/api/images/{picture}", headers={**ORIGIN, "If-None-Match": "*"}),
        400: await server.post("/api/auth/login", b"{", headers=ORIGIN),
        401: await server.post(JOB_PATH, {}, headers=ORIGIN),
        404: await server.get("/nothing", headers=ORIGIN),
        416: await server.get(f"/api/images/{picture}", headers={**ORIGIN, "Range": "bytes=-0"}),
    }
    for status, answer in answers.items():
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert {"content-length", "etag"} <= listed(answer.headers["Access-Control-Expose-Headers"])
    head = await server.request("HEAD", f"/api/images/{picture}", headers=ORIGIN)
    assert (head.status, head.headers["Access-Control-Allow-Origin"]) == (200, "*")


async def test_headers_come_once(server: RunningNavigator) -> None:
    answer = await server.get("/", headers=ORIGIN)
    names = [name.lower() for name in answer.headers]
    assert [name for name in set(names) if names.count(name) > 1] == []


async def test_addresses_with_codes_are_not_passed_on(server: RunningNavigator) -> None:
    assert (await server.get("/?code=secret")).headers["Referrer-Policy"] == "no-referrer"


async def test_socketio_answers_other_origins(server: RunningNavigator) -> None:
    answer = await server.get("/socket.io/?EIO=4&transport=polling", headers=ORIGIN)
    assert answer.status == 200
    names = [name.lower() for name in answer.headers]
    assert names.count("access-control-allow-origin") == 1
    assert answer.headers["Access-Control-Allow-Origin"] in {"*", ORIGIN["Origin"]}
