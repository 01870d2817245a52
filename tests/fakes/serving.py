"""An aiohttp application on a free port of the loopback address, and answers that go wrong."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Fault:
    """What is answered instead of what is right.

    With `hangs` nothing comes, with `is_cut` the connection ends in the middle of the body.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    is_cut: bool = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Gives this answer."""
        if self.hangs:
            await asyncio.Event().wait()
        if not self.is_cut:
            return web.Response(status=self.status, body=self.body, headers=self.headers)
        response = web.StreamResponse(status=self.status)
        response.content_length = len(self.body) + 1
        await response.prepare(request)
        await response.write(self.body)
        if request.transport is not None:
            request.transport.close()
        return response


@contextlib.asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """The address at which `app` answers while the block runs."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
