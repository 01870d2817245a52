"""Running Navigators for the tests of the web layer; they keep everything in SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.running import SLOW, RunningNavigator, running_navigator


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator whose Forge draws at once."""
    async with running_navigator(tmp_path) as running:
        yield running


@pytest.fixture
async def slow_server(tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator whose Forge takes 10 ms for a step."""
    async with running_navigator(tmp_path, forge=SLOW) as running:
        yield running


@pytest.fixture
async def token(server: RunningNavigator) -> str:
    """A token of the demo user's on `server`."""
    return await server.login()
