"""Tests of `app/cli/in_process.py`."""

import pytest

from app.cli.in_process import request
from app.web.asgi import Receive, Scope, Send, answer


async def test_request_arrives_and_the_answer_comes_back() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        message = await receive()
        assert not message["more_body"]
        await answer(send, 201, [], b"got " + message["body"])

    url = "http://localhost:4000/api/a%2Fb/%C3%BC?page=2&search=%25"
    headers = [("Authorization", "secret")]
    assert await request(app, "POST", url, headers=headers, body=b"{}") == (201, b"got {}")
    (scope,) = seen
    assert (scope["method"], scope["path"]) == ("POST", "/api/a/b/\u00fc")
    assert (scope["raw_path"], scope["query_string"]) == (
        b"/api/a%2Fb/%C3%BC",
        b"page=2&search=%25",
    )
    assert dict(scope["headers"]) == {
        b"host": b"localhost:4000",
        b"content-length": b"2",
        b"authorization": b"secret",
    }
    assert (scope["client"][0], scope["server"]) == ("127.0.0.1", ("127.0.0.1", 4000))


async def test_answer_may_come_in_pieces() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"a", b"b", b""):
            await send({"type": "http.response.body", "body": piece, "more_body": bool(piece)})

    assert await request(app, "GET", "http://localhost/") == (200, b"ab")


async def test_error_of_the_application_is_not_hidden() -> None:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await request(app, "GET", "http://localhost/")


@pytest.mark.parametrize(
    ("host", "address"),
    [("localhost", "127.0.0.1"), ("192.0.2.7", "192.0.2.7"), ("[2001:db8::7]", "2001:db8::7")],
)
async def test_request_arrives_at_the_host_of_its_url(host: str, address: str) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        seen.append(scope)
        await answer(send, 200, [])

    await request(app, "GET", f"http://{host}/")
    assert seen[0]["server"] == (address, 80)
