"""Tests of `app/web/gate.py`: what the realtime port answers, and how websockets end."""

import asyncio
from urllib.parse import urlsplit

import aiohttp
import pytest

from app.web.asgi import Message, Receive, Scope, Send
from app.web.gate import Gate
from tests.running import JOB_PATH, RunningNavigator
from tests.waiting import until


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api/models"),
        ("POST", "/api/auth/login"),
        ("POST", JOB_PATH),
        ("GET", "/api/images/x"),
        ("HEAD", "/api/images/x"),
        ("OPTIONS", "/api/models"),
        ("GET", "/%2Fapi/models"),
        ("GET", "/socket.io%2F..%2Fapi/models"),
        ("GET", "/socket.io/../api/models"),
        ("GET", "/socket.iodine"),
        ("GET", "//api/models"),
        ("GET", "/SOCKET.IO/"),
    ],
)
async def test_realtime_port_serves_socketio_only(
    server: RunningNavigator, method: str, path: str
) -> None:
    answer = await server.request(method, path, realtime=True)
    assert answer.status in {400, 404}
    if method != "HEAD" and answer.status == 404:
        assert answer.json["error_code"] == "UNKNOWN_ROUTE"


async def test_address_in_the_request_line_opens_no_side_door(server: RunningNavigator) -> None:
    port = urlsplit(server.realtime_url).port
    for target in ("http://x/api/models", "http://x/socket.io", "*", "socket.io/api/models"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert answer.split()[1] in {b"400", b"404"}, target
        assert b"model_name" not in answer


async def test_socketio_is_answered_on_both_ports(server: RunningNavigator) -> None:
    for realtime in (False, True):
        answer = await server.get("/socket.io/?EIO=4&transport=polling", realtime=realtime)
        assert (answer.status, answer.content[:1]) == (200, b"0")


@pytest.mark.parametrize("path", ["/", "/api/models", "/api/images/x", "/socketio/"])
async def test_other_websockets_are_refused(server: RunningNavigator, path: str) -> None:
    for url in (server.url, server.realtime_url):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with server.http.ws_connect(url + path):
                pass
    assert (await server.get("/")).status == 200


async def test_draining_tells_every_websocket_that_its_client_went() -> None:
    ended: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            await send(message)
        ended.append(message)

    async def forever() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError(message)

    gate = Gate(app, realtime_port=None)
    scope = {"type": "websocket", "path": "/socket.io/", "server": ("x", 1)}
    sockets = [asyncio.create_task(gate(scope, forever, send)) for _ in range(3)]
    await asyncio.wait(sockets, timeout=0.01)
    assert ended == []
    gate.drain()
    await asyncio.gather(*sockets)
    assert ended == [{"type": "websocket.disconnect", "code": 1001}] * 3
    # Who comes while draining is sent away at once.
    await gate(scope, forever, send)
    assert len(ended) == 4


async def test_no_message_is_lost_or_doubled() -> None:
    incoming: asyncio.Queue[Message] = asyncio.Queue()
    seen: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            seen.append(message)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    gate = Gate(app, realtime_port=None)
    scope = {"type": "websocket", "path": "/socket.io/", "server": ("x", 1)}
    socket = asyncio.create_task(gate(scope, incoming.get, send))
    messages: list[Message] = [{"type": "websocket.receive", "text": str(n)} for n in range(100)]
    for message in messages:
        incoming.put_nowait(message)
    await until(lambda: len(seen) == 100)
    gate.drain()
    await socket
    assert seen == messages


async def test_lifespan_passes_through() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def receive() -> Message:
        return {}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    await Gate(app, realtime_port=1)({"type": "lifespan"}, receive, send)
    assert seen == ["lifespan"]
