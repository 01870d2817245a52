"""Tests of `app/web/server.py`: listening, and ending quickly whatever is connected."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.database.connection import opened
from app.generation.models import Image
from app.jobs.models import Job, JobStatus
from app.simulator import Simulator, SimulatorOptions
from app.web.server import PortTaken, listen, serve, shown_address
from tests.databases import MODEL_MODULES, free_port
from tests.running import INSTANT, RunningNavigator, catalogue, running_navigator
from tests.waiting import until

LARGE = SimulatorOptions(0.1, 0, draw=False, png_padding_bytes=40_000_000)


@contextlib.asynccontextmanager
async def stalled(server: RunningNavigator, request: str) -> AsyncIterator[asyncio.StreamReader]:
    """A connection that sends `request` and reads only what the block reads of the answer."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", urlsplit(server.url).port))
        reader, writer = await asyncio.open_connection(sock=connection, limit=1024)
        writer.write(request.replace("\n", "\r\n").encode())
        await writer.drain()
        try:
            yield reader
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def test_taken_port_is_named_with_its_setting() -> None:
    with listen("127.0.0.1", 0, setting="HTTP_API_PORT") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as refused:
            listen("127.0.0.1", port, setting="RT_API_PORT")
    assert refused.value.message.startswith("RT_API_PORT")
    assert str(port) in refused.value.message
    assert "another program" in refused.value.message


@pytest.mark.parametrize("host", ["203.0.113.1", "no such host", "256.1.1.1"])
def test_impossible_address_is_named_with_its_setting(host: str) -> None:
    with pytest.raises(PortTaken) as refused:
        listen(host, 0, setting="HTTP_API_PORT")
    assert "HTTP_API_PORT" in refused.value.message
    assert host in refused.value.message


def test_ipv6_can_be_listened_on() -> None:
    with listen("::1", 0, setting="HTTP_API_PORT") as listening:
        assert listening.family is socket.AF_INET6
        port = listening.getsockname()[1]
        with socket.create_connection(("::1", port), timeout=5):
            pass


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_every_interface_is_ipv4_and_ipv6(host: str) -> None:
    with listen("::", 0, setting="HTTP_API_PORT") as listening:
        port = listening.getsockname()[1]
        with socket.create_connection((host, port), timeout=5):
            pass
        with pytest.raises(PortTaken):
            listen("0.0.0.0", port, setting="HTTP_API_PORT")


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:3333"),
        ("::1", "http://[::1]:3333"),
        ("gpu.lan", "http://gpu.lan:3333"),
        ("::", "http://localhost:3333 (on every interface)"),
        ("0.0.0.0", "http://localhost:3333 (on every interface)"),
    ],
)
def test_shown_address_can_be_typed_into_a_browser(host: str, shown: str) -> None:
    assert shown_address(host, 3333) == shown


def test_port_of_a_server_that_just_ended_can_be_taken_again() -> None:
    with listen("127.0.0.1", 0, setting="HTTP_API_PORT") as first:
        port = first.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port), timeout=5)
        accepted, _ = first.accept()
    accepted.close()
    client.close()
    listen("127.0.0.1", port, setting="HTTP_API_PORT").close()


async def test_listening_is_announced_once_connections_are_taken(
    server: RunningNavigator,
) -> None:
    announced: list[bytes] = []
    taken = listen("127.0.0.1", 0, setting="HTTP_API_PORT")
    address = taken.getsockname()
    stopped = asyncio.Event()
    ours = server.navigator

    async def announce() -> None:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        announced.append(await reader.readline())
        writer.close()
        await writer.wait_closed()
        stopped.set()

    await serve(ours.asgi, ours.realtime, [taken], stopped, on_listening=announce)
    assert announced[0].startswith(b"HTTP/1.1 200")


async def test_idle_server_stops_at_once(server: RunningNavigator, token: str) -> None:
    await server.picture(token)
    async with server.listening(token), server.listening(token, realtime=True):
        assert await server.stop() < 1


async def test_stopped_server_refuses_connections(server: RunningNavigator) -> None:
    await server.stop()
    for url in (server.url, server.realtime_url):
        with pytest.raises(OSError, match=r"refused|[Cc]onnect"):
            await asyncio.open_connection("127.0.0.1", urlsplit(url).port)


async def test_stop_is_quick_whatever_is_connected(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    began_s = 0.0
    async with Simulator(LARGE, catalogue()).serving() as forge:
        async with (
            contextlib.AsyncExitStack() as stack,
            running_navigator(tmp_path, forge=forge.url, wait_for_forge=False) as server,
        ):
            token = await server.login()
            picture = await server.picture(token, steps=1)
            for transport in ("websocket", "polling"):
                for realtime in (False, True):
                    await stack.enter_async_context(
                        server.listening(token, transport=transport, realtime=realtime)
                    )
            download = f"GET /api/images/{picture} HTTP/1.1\nHost: x\n\n"
            reader = await stack.enter_async_context(stalled(server, download))
            assert await reader.readline() == b"HTTP/1.1 200 \r\n"
            upload = "POST /api/auth/login HTTP/1.1\nHost: x\nContent-Length: 9\n"
            await stack.enter_async_context(
                stalled(server, upload + "Content-Type: application/json\n\n{")
            )
            await stack.enter_async_context(stalled(server, "GET / HTTP/1.1\nHos"))
            running = (await server.submit(token, steps=150))["job_id"]
            waiting = (await server.submit(token, steps=1))["job_id"]
            await until(lambda: forge.active_task == f"navigator-{running}")
            began_s = time.monotonic()
            assert await server.stop() < 4
        assert time.monotonic() - began_s < 4
        assert forge.interrupts == 1
        problems = [r for r in caplog.records if r.levelno >= logging.WARNING]
        assert [r.getMessage() for r in problems if not r.name.startswith("engineio")] == []
        async with opened(server.settings.database, MODEL_MODULES):
            statuses = dict(await Job.all().values_list("id", "status"))
            assert statuses[running] == statuses[waiting] == JobStatus.QUEUED
            assert (await Job.get(id=running)).attempts == 0
        async with running_navigator(tmp_path, forge=INSTANT) as server:
            await server.finished(waiting)
            assert await Image.all().count() == 3
            assert await Job.filter(status=JobStatus.SUCCEEDED).count() == 3


async def test_without_a_second_port_everything_is_on_the_first(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=f"http://127.0.0.1:{free_port()}") as server:
        stopped = asyncio.Event()
        taken = listen("127.0.0.1", 0, setting="HTTP_API_PORT")
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        one = server.navigator
        serving = asyncio.create_task(serve(one.asgi, one.realtime, [taken], stopped))
        for path in ("/", "/socket.io/?EIO=4&transport=polling"):
            async with server.http.get(url + path) as response:
                assert response.status == 200
        stopped.set()
        await serving


async def test_large_headers_are_refused(server: RunningNavigator) -> None:
    line = "x-filler: " + "x" * 200_000
    async with stalled(server, f"GET / HTTP/1.1\nHost: x\n{line}\n\n") as reader:
        assert (await reader.readline()).split()[1] in {b"400", b"431"}


async def test_nothing_tells_which_software_answers(server: RunningNavigator) -> None:
    for path in ("/", "/nothing"):
        names = {name.lower() for name in (await server.get(path)).headers}
        assert names & {"server", "x-powered-by"} == set()
