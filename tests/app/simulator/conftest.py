"""Fixtures: a quick simulator with the recorded install, and a session that talks to it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from app.simulator import Simulator, SimulatorOptions
from tests.app.simulator.recording import recorded_install, session_for


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    options = SimulatorOptions(step_time_s=0.02, checkpoint_load_time_s=0.03)
    async with Simulator(options, recorded_install()).serving() as simulator:
        yield simulator


@pytest.fixture
async def http(simulator: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with session_for(simulator) as http:
        yield http
