"""Tests of `app/web/http2.py`: connections that begin with the preface of HTTP/2."""

import asyncio
import contextlib
from pathlib import Path
from urllib.parse import urlsplit

import h2.connection
import h2.events
import pytest

from tests.app.web.test_server import stalled
from tests.app.web.test_server_timeouts import ended, impatient
from tests.running import RunningNavigator

PREFACE = "PRI * HTTP/2.0\n\nSM\n\n"
SETTINGS = "\0\0\0\x04\0\0\0\0\0"
GET = [(":method", "GET"), (":path", "/api/status"), (":scheme", "http"), (":authority", "x")]


@pytest.mark.parametrize("sent", ["PRI * HTTP/2.0\n\n", PREFACE, PREFACE + SETTINGS])
async def test_connection_that_asks_for_nothing_is_ended(tmp_path: Path, sent: str) -> None:
    async with impatient(tmp_path) as server, stalled(server, sent) as reader:
        assert b"HTTP/1.1 200" not in await ended(reader)


async def test_requests_are_answered(server: RunningNavigator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(server.url).port)
    client = h2.connection.H2Connection()
    client.initiate_connection()
    client.send_headers(1, GET, end_stream=True)
    writer.write(client.data_to_send())
    seen: list[h2.events.Event] = []
    while not any(isinstance(event, h2.events.StreamEnded) for event in seen):
        seen += client.receive_data(await asyncio.wait_for(reader.read(65536), 10))
        writer.write(client.data_to_send())
    (answer,) = [event for event in seen if isinstance(event, h2.events.ResponseReceived)]
    headers = dict(answer.headers or [])
    assert headers[b":status"] == b"200"
    assert headers[b"x-content-type-options"] == b"nosniff"
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
