"""The list of 500 LoRAs whose metadata is known: over HTTP, as Compass asks for it."""

import asyncio
import time
from typing import Any

import orjson
from aiohttp import web

from tests.bench.raw_client import answer_times_ms
from tests.bench.report import Figure, percentile
from tests.bench.serving import Server, serving
from tests.fakes.civitai import model
from tests.fakes.serving import served

LORAS = 500
_ANSWERS = 200
_PATIENCE_S = 120.0


async def measure() -> list[Figure]:
    """p95 of the list, and how long it takes until CivitAI was asked about all."""
    app = web.Application()
    app.router.add_get("/{path:.*}", _answer)
    async with served(app) as origin:
        settings = {"CIVITAI_API_BASE": f"{origin}/api/v1"}
        async with serving(loras=LORAS, settings=settings) as server:
            pending_ms = await _times_ms(server)
            began_s = time.monotonic()
            size_bytes = await _all_known(server)
            took_s = time.monotonic() - began_s
            known_ms = await _times_ms(server)
    return [
        Figure(f"{LORAS} LoRAs, p95, while they are looked up", percentile(pending_ms, 0.95), "ms"),
        Figure(f"{LORAS} LoRAs, p95, from cache", percentile(known_ms, 0.95), "ms", at_most=50),
        Figure(f"{LORAS} LoRAs, size of the answer", size_bytes / 1e6, "MB"),
        Figure(f"{LORAS} LoRAs are looked up", took_s, "s"),
    ]


async def _times_ms(server: Server) -> list[float]:
    return await asyncio.to_thread(
        answer_times_ms,
        [f"{server.url}/api/models/loras"] * _ANSWERS,
        {"Authorization": f"Bearer {server.token}"},
    )


async def _all_known(server: Server) -> int:
    """The size of the list when all are known."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline_s:
        async with server.http.get(
            f"{server.url}/api/models/loras", headers={"Authorization": f"Bearer {server.token}"}
        ) as response:
            content = await response.read()
        if all(lora["provider"] == 1 for lora in orjson.loads(content)):
            return len(content)
        await asyncio.sleep(0.1)
    raise TimeoutError("not all LoRAs were looked up")


async def _answer(request: web.Request) -> web.Response:
    """Knows every hash; a version has the size of a usual one."""
    number = int(request.path.rpartition("/")[2][:12], 16) % 10_000
    made = model(number)
    told: dict[str, Any] = made["modelVersions"][0] | {
        "description": "<p>what its maker says of it</p>" * 40,
        "model": {"name": made["name"], "type": "LORA", "nsfw": False},
    }
    return web.Response(body=orjson.dumps(told), content_type="application/json")
