"""Tests of `app/web/body_limits.py`: bodies that are too large, too slow, or just right."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson
import pytest

from app.web.body_limits import OTHERS, WITH_PICTURES, BodyLimits, Limit
from app.web.server import listen, serve
from tests.contract import exchange
from tests.running import JOB_PATH, RunningNavigator

LOGIN = "/api/auth/login"
PICTURE_PATH = "/api/queue/user/img2img"
JSON = {"Content-Type": "application/json"}
MB = 1024 * 1024
QUICK = Limit(1000, total_s=60)


async def chunks(size_bytes: int) -> AsyncIterator[bytes]:
    """A body of blanks whose length is not announced."""
    for _ in range(size_bytes // 100_000 + 1):
        yield b" " * 100_000


@pytest.mark.parametrize(
    ("path", "limit_mb"),
    [
        (LOGIN, 1),
        (JOB_PATH, 1),
        ("/api/queue/txt2img", 1),
        ("/api/user/category", 1),
        ("/socket.io/?EIO=4&transport=polling", 1),
        (PICTURE_PATH, 50),
        (f"{PICTURE_PATH}/", 50),
        (PICTURE_PATH.upper(), 50),
        ("/api/queue/img2img", 50),
    ],
)
async def test_too_large_body_is_413_in_our_words(
    server: RunningNavigator, token: str, path: str, limit_mb: int
) -> None:
    bodies: list[object] = [b" " * (limit_mb * MB + 1)]
    if path.startswith("/api/user") or path in {LOGIN, JOB_PATH, PICTURE_PATH}:
        bodies.append(chunks(limit_mb * MB))  # the others answer before they read
    for body in bodies:
        answer = await server.request("POST", path, data=body, headers=JSON, token=token)
        assert answer.status == exchange(12).status == 413
        assert answer.json["error_code"] == "BODY_TOO_LARGE"
        assert f" {limit_mb} MB" in answer.json["error"]
        if "socket.io" not in path:
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert (await server.get("/api/user/me", token=token)).status == 200


@pytest.mark.parametrize(("path", "limit"), [(JOB_PATH, OTHERS), (PICTURE_PATH, WITH_PICTURES)])
async def test_body_of_just_that_size_is_read(
    server: RunningNavigator, token: str, path: str, limit: Limit
) -> None:
    start = b'{"model_name":"dreamModel_v1","prompt":"'
    body = start + b"x" * (limit.size_bytes - len(start) - 2) + b'"}'
    answer = await server.post(path, body, token=token)
    assert (answer.status, len(body)) == (400, limit.size_bytes)
    assert "prompt" in answer.json["error"] or "init_image" in answer.json["error"]


async def test_announced_size_is_refused_before_anything_is_sent(
    server: RunningNavigator,
) -> None:
    async with connected(server.url) as client:
        client.send(f"POST {LOGIN}", "Content-Length: 10000000")
        assert await client.status() == 413


@dataclass
class Client:
    """A connection that sends what and when it likes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, line: str, *headers: str, body: bytes = b"") -> None:
        """The head of a request, and the beginning of its body."""
        head = [f"{line} HTTP/1.1", "Host: x", "Content-Type: application/json", *headers]
        self.writer.write("\r\n".join([*head, "", ""]).encode() + body)

    async def status(self) -> int:
        """Of the answer, whose headers are read."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        return int(head.split()[1])

    async def error_code(self) -> str:
        """Of the answer's body, after which the connection ends."""
        content = await asyncio.wait_for(self.reader.read(), 10)
        return str(orjson.loads(content)["error_code"])


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    """A connection to the server there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def impatient(
    server: RunningNavigator, *, idle_s: float, limit: Limit = QUICK
) -> AsyncIterator[str]:
    """The same Navigator on another port, with these limits everywhere; gives its address."""
    stopped = asyncio.Event()
    taken = listen("127.0.0.1", 0, setting="HTTP_API_PORT")
    url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    ours = server.navigator
    limited = BodyLimits(ours.asgi, with_pictures=limit, others=limit, idle_s=idle_s)
    serving = asyncio.create_task(serve(limited, ours.realtime, [taken], stopped))
    try:
        yield url
    finally:
        stopped.set()
        await serving


@pytest.mark.parametrize(
    ("path", "started"),
    [(LOGIN, b""), (LOGIN, b'{"code":'), ("/socket.io/?EIO=4&transport=polling", b"")],
)
async def test_body_that_stops_coming_is_408(
    server: RunningNavigator, path: str, started: bytes
) -> None:
    async with impatient(server, idle_s=0.05) as url, connected(url) as client:
        client.send(f"POST {path}", "Content-Length: 100", body=started)
        assert await client.status() == 408
        assert await client.error_code() == "REQUEST_TIMEOUT"


async def test_body_that_trickles_for_too_long_is_408(server: RunningNavigator, token: str) -> None:
    slow = Limit(1000, total_s=0.2)
    async with impatient(server, idle_s=10, limit=slow) as url, connected(url) as client:
        client.send(
            f"POST {JOB_PATH}", "Content-Length: 1000", f"Authorization: Bearer {token}", body=b"{"
        )
        answered = asyncio.create_task(client.status())
        while not (await asyncio.wait({answered}, timeout=0.01))[0]:
            client.writer.write(b" ")
        assert answered.result() == 408


async def test_body_in_pieces_is_read(server: RunningNavigator) -> None:
    async with impatient(server, idle_s=5) as url, connected(url) as client:
        client.send(f"POST {LOGIN}", "Content-Length: 20")
        for piece in (b'{"code":', b'"DEMO', b'_USER"}'):
            client.writer.write(piece)
            await client.writer.drain()
        assert await client.status() == 200


async def test_credentials_are_still_looked_at_before_the_body_is_there(
    server: RunningNavigator,
) -> None:
    async with impatient(server, idle_s=30) as url, connected(url) as client:
        client.send(f"POST {JOB_PATH}", "Content-Length: 100")
        assert await client.status() == 401


async def test_requests_without_a_body_are_left_alone(server: RunningNavigator) -> None:
    async with impatient(server, idle_s=0.0, limit=Limit(0, total_s=0)) as url:
        for path in ("/", "/api/status", "/socket.io/?EIO=4&transport=polling"):
            async with server.http.get(url + path) as response:
                assert response.status == 200


async def test_socket_is_not_timed_by_them(server: RunningNavigator, token: str) -> None:
    path = "/socket.io/?EIO=4&transport=websocket"
    async with (
        impatient(server, idle_s=0.0, limit=Limit(0, total_s=0)) as url,
        server.http.ws_connect(url + path) as connection,
    ):
        assert (await connection.receive_str()).startswith("0")
        await connection.send_str("40")
        assert (await connection.receive_str()).startswith("40")


async def test_length_that_is_no_number_is_no_way_in(server: RunningNavigator) -> None:
    for length in ("-1", "1e9", "0x10", "²", "10, 20", "", "9" * 5000):
        async with connected(server.url) as client:
            client.send(f"POST {LOGIN}", f"Content-Length: {length}")
            assert await client.status() == 400
