"""Tests of the connections to Forge. What it answers is tested with the client's methods."""

import asyncio

from aiohttp import web
from aiohttp.test_utils import TestServer

from app.clients.forge import ForgeClient
from app.clients.forge_http import forge_session


async def test_idle_connection_is_not_used_again_once_forge_may_be_closing_it() -> None:
    """Forge's server closes one after five idle seconds; ours must not be that old."""
    connections = set()

    async def answer(request: web.Request) -> web.Response:
        connections.add(request.transport)
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/sdapi/v1/options", answer)
    async with TestServer(app) as server, forge_session() as session:
        url = str(server.make_url("")).rstrip("/")
        forge = ForgeClient(session, api_url=f"{url}/sdapi/v1", root_url=url)
        await forge.options()
        await forge.options()
        assert len(connections) == 1
        # The connector looks after its idle connections by the clock of the event loop.
        await asyncio.sleep(2.2)
        await forge.options()
    assert len(connections) == 2
