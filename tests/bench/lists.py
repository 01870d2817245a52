"""The lists of what Forge has: also while Forge does not answer."""

import asyncio

import psutil

from tests.bench.raw_client import answer_times_ms
from tests.bench.report import Figure, percentile
from tests.bench.serving import Server, serving

_LISTS = (
    "models",
    "samplers?all",
    "schedulers",
    "upscalers",
    "modules",
    "models/embeddings",
    "models/loras",
)
_ANSWERS = 500


async def measure() -> list[Figure]:
    """p95 of each list over HTTP, on one connection, while Forge hangs."""
    figures = []
    async with serving() as server:
        _hang(server)
        for name in _LISTS:
            took_ms = await asyncio.to_thread(
                answer_times_ms,
                [f"{server.url}/api/{name}"] * _ANSWERS,
                {"Authorization": f"Bearer {server.token}"},
            )
            figures.append(Figure(f"list {name}, p95", percentile(took_ms, 0.95), "ms", at_most=3))
    return figures


def _hang(server: Server) -> None:
    """Makes Forge a program that takes connections and never answers."""
    port = int(server.forge_url.rpartition(":")[2])
    for process in psutil.Process().children():
        if {"tests.bench.forge_process", str(port)} <= set(process.cmdline()):
            process.suspend()
            return
    raise RuntimeError("Forge is not found")
