"""A server that gives one answer to everything: what a real Forge never says, or a fork does."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from app.clients.forge import ForgeClient
from tests.fakes.serving import served


@dataclass
class Answering:
    """What is answered, and what came in. `cut` ends the connection after half of the body."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    requests: list[web.Request] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.requests.append(request)
        if not self.cut:
            return web.Response(status=self.status, body=self.body, headers=self.headers)
        response = web.StreamResponse(status=self.status)
        response.content_length = len(self.body)
        await response.prepare(request)
        await response.write(self.body[: len(self.body) // 2])
        if request.transport is not None:
            request.transport.close()
        return response

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Answering"]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        async with served(app) as self.url:
            yield self


@contextlib.asynccontextmanager
async def client_of(url: str, *, auth: str | None = None) -> AsyncIterator[ForgeClient]:
    """A client of the Forge at this address."""
    async with aiohttp.ClientSession() as session:
        yield ForgeClient(session, api_url=f"{url}/sdapi/v1", root_url=url, auth=auth)
