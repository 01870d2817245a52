"""How many jobs per second go all the way, everything persisted."""

import asyncio
import time

from tests.bench.report import Figure
from tests.bench.serving import Server, serving

_JOBS = 1000
_POSTING_AT_ONCE = 8


async def measure() -> list[Figure]:
    """1,000 jobs queued as fast as they are accepted, with an instant Forge."""
    async with serving() as server:
        await server.finished(await server.submit())
        rate = await jobs_per_s(server, _JOBS)
    return [Figure("1,000 jobs end to end", rate, "jobs/s", at_least=200)]


async def jobs_per_s(server: Server, jobs: int) -> float:
    """Jobs per second from the first POST to the last `task-finished`."""
    slots = asyncio.Semaphore(_POSTING_AT_ONCE)

    async def submit() -> None:
        async with slots:
            await server.submit()

    began_s = time.monotonic()
    posting = asyncio.gather(*(submit() for _ in range(jobs)))
    for _ in range(jobs):
        ended_s, _, _ = await server.finished()
    await posting
    return jobs / (ended_s - began_s)
