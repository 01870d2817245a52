"""Tests of `launcher/forge_probe.py`, against the simulator over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from app.simulator import Simulator, SimulatorOptions
from launcher.forge_probe import ForgeProbe
from launcher.settings import ForgeAddress
from tests.fakes.serving import Fault, served
from tests.waiting import until


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def probe(session: aiohttp.ClientSession, url: str, auth: str | None = None) -> ForgeProbe:
    """A probe of what serves there."""
    parts = urlsplit(url)
    return ForgeProbe(
        session, ForgeAddress(str(parts.hostname), int(parts.port or 0), auth), timeout_s=0.5
    )


async def test_forge_is_ready_once_its_window_is_over(session: aiohttp.ClientSession) -> None:
    async with Simulator(SimulatorOptions(startup_time_s=0.6)).serving() as simulator:
        probed = probe(session, simulator.url)
        assert not await probed.answers()
        assert not await probed.is_ready()
        await until(probed.answers)
        assert not await probed.is_ready()  # `loras` comes last
        await until(probed.is_ready)


async def test_login_is_used(session: aiohttp.ClientSession) -> None:
    async with Simulator(SimulatorOptions(api_auth="me:ß secret")).serving() as simulator:
        assert await probe(session, simulator.url, "me:ß secret").is_ready()
        wrong = probe(session, simulator.url)
        assert await wrong.answers()
        assert not await wrong.is_ready()
        assert wrong.refuses_us


async def test_fork_without_loras_is_ready_after_a_while(session: aiohttp.ClientSession) -> None:
    now_s = [0.0]
    async with Simulator(SimulatorOptions(startup_time_s=1000)).serving() as simulator:
        parts = urlsplit(simulator.url)
        address = ForgeAddress(str(parts.hostname), int(parts.port or 0))
        probed = ForgeProbe(session, address, clock=lambda: now_s[0])
        statuses = {"/sdapi/v1/options": 200, "/sdapi/v1/loras": 404}

        async def status(path: str) -> int:
            return statuses[path]

        probed._status = status  # type: ignore[method-assign]
        assert not await probed.is_ready()
        now_s[0] = 15.0
        assert await probed.is_ready()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(200, b"<html>"),
        Fault(404, b"x"),
        Fault(hangs=True),
        Fault(401, b"Log in"),
        Fault(401, b'{"error": "log in"}'),
        Fault(500, b"Internal Server Error"),
        Fault(500, b"[]"),
    ],
)
async def test_something_else_is_no_forge(session: aiohttp.ClientSession, fault: Fault) -> None:
    other = web.Application()
    other.router.add_get("/{path:.*}", fault.answer)
    async with served(other) as url:
        probed = probe(session, url)
        assert not await probed.answers()
        assert not await probed.is_ready()


async def test_whether_it_draws_is_known(session: aiohttp.ClientSession) -> None:
    async with Simulator(SimulatorOptions(step_time_s=0.05)).serving() as simulator:
        probed = probe(session, simulator.url)
        await until(probed.is_ready)
        assert not await probed.draws()
        body = {"prompt": "a fox", "steps": 40, "width": 64, "height": 64}
        drawing = asyncio.create_task(session.post(f"{simulator.url}/sdapi/v1/txt2img", json=body))
        await until(probed.draws)
        (await drawing).release()
        await until(lambda: _is_idle(probed))


async def _is_idle(probed: ForgeProbe) -> bool:
    return not await probed.draws()


async def test_nothing_is_no_forge(session: aiohttp.ClientSession, unused_port: int) -> None:
    nobody = probe(session, f"http://127.0.0.1:{unused_port}")
    assert not await nobody.answers()
    assert not await nobody.draws()
