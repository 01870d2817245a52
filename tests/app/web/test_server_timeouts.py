"""Tests of `app/web/server.py`: which connections are ended while it runs, and which are not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.simulator import SimulatorOptions
from app.web.body_limits import BodyLimits, Limit
from app.web.server import listen, serve
from tests.app.web.test_server import stalled
from tests.running import INSTANT, RunningNavigator, running_navigator

KEEP_ALIVE_S = 1.0
PADDING_BYTES = 12_000_000
LARGE = SimulatorOptions(0.1, 0, draw=False, png_padding_bytes=PADDING_BYTES)


@contextlib.asynccontextmanager
async def impatient(
    folder: Path, forge: SimulatorOptions = INSTANT
) -> AsyncIterator[RunningNavigator]:
    """A Navigator whose first port soon ends connections that ask nothing."""
    async with running_navigator(folder, forge=forge) as server:
        stopped = asyncio.Event()
        taken = listen("127.0.0.1", 0, setting="HTTP_API_PORT")
        patient, server.url = server.url, f"http://127.0.0.1:{taken.getsockname()[1]}"
        ours = server.navigator
        limit = Limit(1000, total_s=KEEP_ALIVE_S)
        app = BodyLimits(ours.asgi, with_pictures=limit, others=limit, idle_s=KEEP_ALIVE_S)
        serving = asyncio.create_task(
            serve(app, ours.realtime, [taken], stopped, keep_alive_s=KEEP_ALIVE_S)
        )
        try:
            yield server
        finally:
            server.url = patient
            stopped.set()
            await serving


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What came until the server ended the connection."""
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 10)
    return b""


@pytest.mark.parametrize("sent", ["", "G", "GET / HTTP/1.1\nHost: x", "GET / HTTP/1.1\nA: b\n"])
async def test_connection_without_a_whole_request_is_ended(tmp_path: Path, sent: str) -> None:
    async with impatient(tmp_path) as server, stalled(server, sent) as reader:
        assert await ended(reader) == b""


async def test_headers_that_trickle_do_not_keep_it_open(tmp_path: Path) -> None:
    async with impatient(tmp_path) as server:
        port = urlsplit(server.url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nx: ")
        ending = asyncio.create_task(ended(reader))
        while not (await asyncio.wait({ending}, timeout=0.01))[0]:
            writer.write(b"x")
        assert ending.result() == b""
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_idle_connection_is_ended_after_its_answers(tmp_path: Path) -> None:
    async with impatient(tmp_path) as server:
        request = "GET /api/status HTTP/1.1\nHost: x\n\n"
        async with stalled(server, request + request) as reader:
            assert (await ended(reader)).count(b"HTTP/1.1 200") == 2


async def test_paused_download_goes_on_when_it_is_read_again(tmp_path: Path) -> None:
    async with impatient(tmp_path, LARGE) as server:
        picture = await server.picture(await server.login(), steps=1)
        async with stalled(
            server, f"GET /api/images/{picture} HTTP/1.1\nHost: x\nConnection: close\n\n"
        ) as reader:
            assert await reader.readline() == b"HTTP/1.1 200 \r\n"
            # Two others were ended in turn for their silence: every patience is over by then.
            for _ in range(2):
                async with stalled(server, "GET / HT") as idle:
                    await ended(idle)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.partition(b":")[2])
                for line in head.splitlines()
                if line.lower().startswith(b"content-length")
            )
            assert length > PADDING_BYTES
            assert len(await ended(reader)) == length


async def test_socket_outlives_the_patience_with_idle_connections(tmp_path: Path) -> None:
    async with impatient(tmp_path) as server:
        token = await server.login()
        async with server.listening(token) as heard:
            for _ in range(2):
                async with stalled(server, "GET / HT") as idle:
                    await ended(idle)
            await heard.event("task-finished", await server.picture(token))
