"""Tests of `app/web/request.py`: whatever is sent as a body is an object or a clear 400."""

import pytest

from tests.contract import compare, exchange
from tests.running import JOB_PATH, RunningNavigator

LOGIN = "/api/auth/login"
MALFORMED = [
    b"{",
    b"}",
    b'{"code":}',
    b"{}{}",
    b"{'code': 1}",
    b'{"code": NaN}',
    b'{"code": -Infinity}',
    b'{"code": 1e999}',
    b'{"code": "\\ud800"}',
    b'{"code": "\\udfff\\ud800"}',
    b'{"code": "\xff\xfe"}',
    b'{"code": "\xed\xa0\x80"}',
    b'{"code": "\x00"}',
    b"\xef\xbb\xbf{}",
    b"\x1f\x8b\x08\x00",
    b"[" * 5000,
    b"[" * 5000 + b"]" * 5000,
    b'{"code":' * 5000 + b"1" + b"}" * 5000,
]
NO_OBJECTS = [b"[]", b'["code"]', b'"abc"', b"1", b"null", b"true"]


# Not that of a login, which soon refuses to hear more.
@pytest.mark.parametrize("path", ["/api/user/category", JOB_PATH])
async def test_malformed_body_is_400(server: RunningNavigator, token: str, path: str) -> None:
    for body in MALFORMED + NO_OBJECTS:
        answer = await server.post(path, body, token=token)
        assert (answer.status, answer.json["error_code"]) == (400, "MALFORMED_JSON"), body[:40]
        assert "body" in answer.json["error"]
        # Neither a stack trace nor what was sent comes back.
        assert len(answer.content) < 500


async def test_empty_body_is_an_empty_object(server: RunningNavigator) -> None:
    for body in (b"", b"  \r\n"):
        answer = await server.post(LOGIN, body)
        assert (answer.status, answer.json["error"]) == (400, "Code is required")


async def test_other_content_types_are_an_empty_object_as_recorded(
    server: RunningNavigator,
) -> None:
    answer = await server.replay(exchange(9))
    compare(exchange(9), answer.status, answer.json)
    for content_type in ("text/plain", "multipart/form-data; boundary=x", "application/xml", ""):
        headers = {"Content-Type": content_type}
        answer = await server.post(LOGIN, b'{"code":"DEMO_USER"}', headers=headers)
        assert (answer.status, answer.json["error"]) == (400, "Code is required"), content_type


async def test_json_content_types_are_read(server: RunningNavigator) -> None:
    for content_type in (
        "application/json; charset=utf-8",
        "application/JSON",
        "application/problem+json",
    ):
        headers = {"Content-Type": content_type}
        answer = await server.post(LOGIN, b'{"code":"DEMO_USER"}', headers=headers)
        assert answer.status == 200, content_type


async def test_broken_bodies_are_refused_with_the_recorded_status(
    server: RunningNavigator,
) -> None:
    html = {"body": "JSON instead of a page with a stack trace"}
    for number in (8, 10):
        answer = await server.replay(exchange(number))
        compare(exchange(number), answer.status, answer.json, but=html)
    # An array counted as an object without a code.
    answer = await server.replay(exchange(11))
    compare(exchange(11), answer.status, answer.json, but={"message": "names the real mistake"})
