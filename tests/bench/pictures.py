"""How fast pictures and their thumbnails are served."""

import asyncio
import contextlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.raw_client import answer_times_ms, megabytes_per_s
from tests.bench.report import Figure, percentile
from tests.bench.serving import serving
from tests.databases import free_port

_PNG_BYTES = 1_500_000
_FETCHES = 600
_CONNECTIONS = (1, 16)
_ROUNDS = 5
_SMALL_ANSWERS = 900  # the server closes a connection after 1,000


async def measure() -> list[Figure]:
    """MB/s of a 1.5 MB picture, memory, and small answers.

    Beside it a server that does nothing else, in turns; of all rounds the medians.
    """
    async with serving(padding_bytes=_PNG_BYTES) as server:
        job_id = await server.submit()
        _, _, event = await server.finished(job_id)
        url = server.url + event["img_path"]
        async with server.http.get(url) as response:
            etag = response.headers["ETag"]
            content = await response.read()
        thumbnail = f"{server.url}/api/images/{job_id}/thumbnail?size=256"
        await asyncio.to_thread(megabytes_per_s, url, connections=16, count=200)
        before_bytes = server.process.memory_info().rss
        with _bare_server(content) as bare_url:
            ours, bare = await asyncio.to_thread(_in_turns, (url, bare_url))
        grown_mb = (server.process.memory_info().rss - before_bytes) / 1_000_000
        known_ms = await asyncio.to_thread(
            answer_times_ms, [url] * _SMALL_ANSWERS, {"If-None-Match": etag}
        )
        thumbnail_ms = await asyncio.to_thread(answer_times_ms, [thumbnail] * _SMALL_ANSWERS)
    return [
        Figure("picture of 1.5 MB, 1 connection", ours[0], "MB/s", at_least=400),
        Figure("picture of 1.5 MB, 16 connections", ours[1], "MB/s", at_least=800),
        Figure("the same by a bare server, 1 connection", bare[0], "MB/s"),
        Figure("the same by a bare server, 16 connections", bare[1], "MB/s"),
        Figure("memory grown by 9 GB of pictures", grown_mb, "MB", at_most=10),
        Figure("304 of a picture, p50", percentile(known_ms, 0.5), "ms"),
        Figure("304 of a picture, p95", percentile(known_ms, 0.95), "ms", at_most=2),
        Figure("thumbnail that is made already, p50", percentile(thumbnail_ms, 0.5), "ms"),
        Figure("thumbnail that is made already, p95", percentile(thumbnail_ms, 0.95), "ms"),
    ]


def _in_turns(urls: Sequence[str]) -> list[list[float]]:
    """MB/s of each address: a median for each number of connections."""
    measured: list[list[list[float]]] = [[[] for _ in _CONNECTIONS] for _ in urls]
    for _ in range(_ROUNDS):
        for of_url, url in zip(measured, urls, strict=True):
            for found, connections in zip(of_url, _CONNECTIONS, strict=True):
                found.append(megabytes_per_s(url, connections=connections, count=_FETCHES))
    return [[statistics.median(found) for found in of_url] for of_url in measured]


@contextlib.contextmanager
def _bare_server(content: bytes) -> Iterator[str]:
    """A bare server of this file in its own process; gives its address."""
    with tempfile.TemporaryDirectory(prefix="navigator-bench-") as folder:
        path = Path(folder) / "picture.png"
        path.write_bytes(content)
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.bare_server", str(port), str(path)]
        )
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    deadline_s = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)
        else:
            return
