"""How long Navigator itself takes, before Forge and after it."""

import asyncio
import time

from tests.bench.report import Figure, percentile
from tests.bench.serving import serving

_JOBS = 100
_PNG_BYTES = 1_500_000


async def measure() -> list[Figure]:
    """Sequential jobs with an idle queue: POST to Forge, and Forge's answer to `task-finished`."""
    async with serving(padding_bytes=_PNG_BYTES) as server:
        await server.finished(await server.submit())
        posted_s: list[float] = []
        finished_s: list[float] = []
        for _ in range(_JOBS):
            posted_s.append(time.monotonic())
            job_id = await server.submit()
            at_s, _, event = await server.finished(job_id)
            finished_s.append(at_s)
            async with server.http.head(server.url + event["img_path"]) as response:
                if response.status != 200:
                    raise RuntimeError("finished, but the picture cannot be fetched")
            await asyncio.sleep(0.02)
        times = await server.forge_times()
    before = _milliseconds(posted_s, times["arrived_s"][1:])
    after = _milliseconds(times["answered_s"][1:], finished_s)
    return [
        Figure("POST to Forge, p50", percentile(before, 0.5), "ms"),
        Figure("POST to Forge, p95", percentile(before, 0.95), "ms", at_most=20),
        Figure("Forge's answer (1.5 MB) to task-finished, p50", percentile(after, 0.5), "ms"),
        Figure(
            "Forge's answer (1.5 MB) to task-finished, p95", percentile(after, 0.95), "ms",
            at_most=30,
        ),
    ]  # fmt: skip


def _milliseconds(began_s: list[float], ended_s: list[float]) -> list[float]:
    return [(end - begin) * 1000 for begin, end in zip(began_s, ended_s, strict=True)]
