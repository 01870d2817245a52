"""Fixtures for tests of the parts: a user, a simulated Forge, a workshop with both, connections to
the public web."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from app.accounts.models import User
from app.clients.forge import ForgeClient
from app.clients.web_http import web_session
from app.jobs.queue import JobQueue
from app.setting_types import DatabaseLocation
from app.simulator import Simulator
from tests.building import WORKING, Workshop, make_catalogue, make_queue, make_user, workshop


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """A simulated Forge that takes 10 ms for a step."""
    async with Simulator(WORKING, make_catalogue()).serving() as serving:
        yield serving


@pytest.fixture
async def forge(simulator: Simulator) -> AsyncIterator[ForgeClient]:
    """A client of the simulated Forge."""
    async with aiohttp.ClientSession() as session:
        yield ForgeClient(session, api_url=f"{simulator.url}/sdapi/v1", root_url=simulator.url)


@pytest.fixture
async def owner(database: DatabaseLocation) -> User:
    """The user that jobs belong to, in a database of either kind."""
    return await make_user()


@pytest.fixture
async def queue(owner: User) -> JobQueue:
    """A queue that has nothing yet, and whom nobody works for."""
    queue = make_queue()
    await queue.recover()
    return queue


@pytest.fixture
async def shop(owner: User, simulator: Simulator, tmp_path: Path) -> AsyncIterator[Workshop]:
    """A workshop whose Forge is ready."""
    async with workshop(tmp_path, simulator.url) as opened:
        await opened.health.wait_ready()
        yield opened


@pytest.fixture
async def connections(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[aiohttp.ClientSession]:
    """Those of the product to the public web; a proxy of this machine is not asked for loopback."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with web_session() as opened:
        yield opened
