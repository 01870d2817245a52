"""How fast pictures and their thumbnails are served."""

import asyncio
import statistics
from collections.abc import Callable
from functools import partial

from tests.bench.raw_client import answer_times_ms, megabytes_per_s
from tests.bench.report import Figure, percentile
from tests.bench.serving import serving

_PNG_BYTES = 1_500_000
_FETCHES = 600
_ROUNDS = 5
_SMALL_ANSWERS = 900  # the server closes a connection after 1,000


async def measure() -> list[Figure]:
    """MB/s of a 1.5 MB picture (the median of some rounds), memory, and small answers."""
    async with serving(padding_bytes=_PNG_BYTES) as server:
        job_id = await server.submit()
        _, _, event = await server.finished(job_id)
        url = server.url + event["img_path"]
        async with server.http.get(url) as response:
            etag = response.headers["ETag"]
        thumbnail = f"{server.url}/api/images/{job_id}/thumbnail?size=256"
        await asyncio.to_thread(megabytes_per_s, url, connections=16, count=200)
        before_bytes = server.process.memory_info().rss
        alone_mb_s = await _median(partial(megabytes_per_s, url, connections=1, count=_FETCHES))
        many_mb_s = await _median(partial(megabytes_per_s, url, connections=16, count=_FETCHES))
        grown_mb = (server.process.memory_info().rss - before_bytes) / 1_000_000
        known_ms = await asyncio.to_thread(
            answer_times_ms, [url] * _SMALL_ANSWERS, {"If-None-Match": etag}
        )
        thumbnail_ms = await asyncio.to_thread(answer_times_ms, [thumbnail] * _SMALL_ANSWERS)
    return [
        Figure("picture of 1.5 MB, 1 connection", alone_mb_s, "MB/s", at_least=400),
        Figure("picture of 1.5 MB, 16 connections", many_mb_s, "MB/s", at_least=800),
        Figure("memory grown by 9 GB of pictures", grown_mb, "MB", at_most=10),
        Figure("304 of a picture, p50", percentile(known_ms, 0.5), "ms"),
        Figure("304 of a picture, p95", percentile(known_ms, 0.95), "ms", at_most=2),
        Figure("thumbnail that is made already, p50", percentile(thumbnail_ms, 0.5), "ms"),
        Figure("thumbnail that is made already, p95", percentile(thumbnail_ms, 0.95), "ms"),
    ]


async def _median(measured: Callable[[], float]) -> float:
    return statistics.median([await asyncio.to_thread(measured) for _ in range(_ROUNDS)])
