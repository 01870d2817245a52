"""How long the event loop is ever blocked while large pictures finish."""

import asyncio
import tempfile
import time
from pathlib import Path

from app.accounts.caller import DEMO_CODE
from app.bootstrap import navigator
from app.cli.client import NavigatorClient
from app.settings import Settings
from app.tasks import running
from app.web.server import listen, serve
from tests.bench.report import Figure
from tests.bench.serving import forge_process

_PICTURES = 10
_PNG_BYTES = 4_000_000
_TICK_S = 0.002


async def measure() -> list[Figure]:
    """The longest time between two turns of the loop, while ten 4 MB pictures finish."""
    longest_s = 0.0

    async def watch() -> None:
        nonlocal longest_s
        while True:
            began_s = time.perf_counter()
            await asyncio.sleep(_TICK_S)
            longest_s = max(longest_s, time.perf_counter() - began_s - _TICK_S)

    with (
        tempfile.TemporaryDirectory(prefix="navigator-bench-") as folder,
        forge_process(padding_bytes=_PNG_BYTES) as forge_url,
    ):
        overrides = {"SD_API_HOST": f"{forge_url}/sdapi/v1", "ENABLE_DEMO_USER": True}
        settings = Settings.load({}, data_dir=Path(folder), overrides=overrides)
        socket = listen("127.0.0.1", 0, setting="HTTP_API_PORT")
        url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        stopped = asyncio.Event()
        async with navigator(settings) as ours:
            await ours.health.wait_ready()
            serving = asyncio.create_task(serve(ours.asgi, ours.realtime, [socket], stopped))
            async with NavigatorClient.logged_in(url, DEMO_CODE) as client:
                await _finish(client, 1)
                async with running(watch()):
                    await _finish(client, _PICTURES)
            stopped.set()
            await serving
    return [Figure("event loop blocked, longest", longest_s * 1000, "ms", at_most=50)]


async def _finish(client: NavigatorClient, pictures: int) -> None:
    job_ids = [await client.generate("a fox", seed=1) for _ in range(pictures)]
    for job_id in job_ids:
        async for name, event in client.events(job_id):
            if name == "task-failed":
                raise RuntimeError(str(event))
