"""Tests of `app/web/asgi.py`."""

import orjson

from app.errors import NotFound
from app.web.asgi import Message, answer, answer_error, header


def test_header_is_the_first_of_its_name() -> None:
    scope = {"headers": [(b"range", b"a\xff"), (b"range", b"b"), (b"other", b"")]}
    assert header(scope, b"range") == "a\xff"
    assert header(scope, b"other") == ""
    assert header(scope, b"missing") is None


async def test_answer_is_start_and_one_body() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await answer(send, 204, [(b"x", b"y")])
    assert sent == [
        {"type": "http.response.start", "status": 204, "headers": [(b"x", b"y")]},
        {"type": "http.response.body", "body": b""},
    ]


async def test_error_has_the_shape_of_all_errors() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await answer_error(send, NotFound("Gone with the “wind”.", code="GONE"))
    start, body = sent
    assert start["status"] == 404
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()
    assert orjson.loads(body["body"]) == {
        "error": "Gone with the “wind”.",
        "error_code": "GONE",
        "message": "Gone with the “wind”.",
    }
