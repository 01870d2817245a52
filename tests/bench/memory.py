"""How much memory the server takes, fresh and after much use, and how fast it starts."""

import asyncio

from tests.bench.report import Figure
from tests.bench.serving import Server, serving
from tests.bench.throughput import jobs_per_s

_JOBS = 1000
_FETCHES = 1500  # 1.5 MB each: what a few friends scroll through in an hour
_PNG_BYTES = 1_500_000
_MB = 1_000_000


async def measure() -> list[Figure]:
    """Resident memory of `navigator serve`; seconds from its start to its first answer."""
    async with serving(padding_bytes=_PNG_BYTES) as server:
        await asyncio.sleep(1)
        idle_mb = _resident_mb(server)
        await jobs_per_s(server, _JOBS)
        await _fetch_pictures(server)
        await asyncio.sleep(3)
        used_mb = _resident_mb(server)
        cold_start_s = server.started_in_s
    return [
        Figure("start of `navigator serve` to its first answer", cold_start_s, "s", at_most=1.5),
        Figure("memory, idle", idle_mb, "MB", at_most=110),
        Figure(
            "memory after 1,000 jobs and 2 GB of pictures, over idle", used_mb / idle_mb, "x",
            at_most=1.2,
        ),
    ]  # fmt: skip


async def _fetch_pictures(server: Server) -> None:
    job_id = await server.submit()
    _, _, event = await server.finished(job_id)
    slots = asyncio.Semaphore(8)

    async def fetch() -> None:
        async with slots, server.http.get(server.url + event["img_path"]) as response:
            while await response.content.readany():
                pass

    await asyncio.gather(*(fetch() for _ in range(_FETCHES)))


def _resident_mb(server: Server) -> float:
    return float(server.process.memory_info().rss) / _MB
