"""Tests of `launcher/forge_readiness.py`: a simulator, and who has its port."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest

from app.simulator import Simulator, SimulatorOptions
from launcher.forge_probe import ForgeProbe
from launcher.forge_readiness import ForgeReadiness, has_lost_port, port_taken
from launcher.program import GivesUp, StartFailed
from launcher.settings import ForgeAddress
from tests.waiting import until

NOBODY = 2**22 + 1
OURS = "OSError: Cannot find empty port in range: {port}-{port}."
OF_AN_EXTENSION = (
    "[Errno 98] error while attempting to bind on address ('0.0.0.0', 9999): address already in use"
)


@contextlib.asynccontextmanager
async def forge(
    lines: list[str], *, auth: str | None = None, ours: str | None = None
) -> AsyncIterator[ForgeReadiness]:
    """A Forge of this very process that wants a login, and what it wrote."""
    async with (
        Simulator(SimulatorOptions(api_auth=auth)).serving() as simulator,
        aiohttp.ClientSession() as session,
    ):
        parts = urlsplit(simulator.url)
        address = ForgeAddress(str(parts.hostname), int(parts.port or 0), ours)
        lines[:] = [line.format(port=address.port) for line in lines]
        yield ForgeReadiness(ForgeProbe(session, address), lambda: lines)


async def test_forge_of_ours_is_ready() -> None:
    async with forge([]) as readiness:
        await until(lambda: readiness.is_ready(os.getpid()))
        assert await readiness.is_ready(os.getppid())  # we are its child


async def test_answers_of_another_forge_do_not_count() -> None:
    async with forge([]) as readiness:
        with pytest.raises(StartFailed, match=f"is taken by .* \\(process {os.getpid()}\\)"):
            await until(lambda: readiness.is_ready(NOBODY))


async def test_port_of_an_extension_is_none_of_ours() -> None:
    async with forge([OF_AN_EXTENSION]) as readiness:
        await until(lambda: readiness.is_ready(os.getpid()))


async def test_lost_port_is_told() -> None:
    async with forge([OURS]) as readiness:
        with pytest.raises(StartFailed, match="is taken by"):
            await readiness.is_ready(NOBODY)


async def test_wrong_login_is_told_and_not_tried_for_ever() -> None:
    async with forge([], auth="me:right", ours="me:wrong") as readiness:
        with pytest.raises(GivesUp, match="SD_API_AUTH"):
            await until(lambda: readiness.is_ready(os.getpid()))


async def test_forge_that_is_up_without_an_api_is_not_waited_for(unused_port: int) -> None:
    now_s, lines = [0.0], ["Running on local URL", "Startup time: 12.0s"]
    async with aiohttp.ClientSession() as session:
        probe = ForgeProbe(session, ForgeAddress("127.0.0.1", unused_port))
        readiness = ForgeReadiness(probe, lambda: lines, clock=lambda: now_s[0])
        assert not await readiness.is_ready(os.getpid())
        now_s[0] = 300.0
        assert not await readiness.is_ready(os.getpid())
        now_s[0] = 301.0
        with pytest.raises(StartFailed, match="its API does not answer"):
            await readiness.is_ready(os.getpid())
        lines.clear()  # the next one
        assert not await readiness.is_ready(os.getpid())


async def test_port_that_nobody_has_any_more_was_lost_all_the_same(unused_port: int) -> None:
    ours = OURS.format(port=unused_port)

    def lost(*said: str, pid: int | None = None) -> bool:
        return has_lost_port(unused_port, said, pid)

    assert await asyncio.to_thread(lost, ours)
    assert not await asyncio.to_thread(lost, OF_AN_EXTENSION)
    assert not await asyncio.to_thread(lost, OURS.format(port=f"1{unused_port}"))
    assert not await asyncio.to_thread(lost)
    with socket.create_server(("127.0.0.1", unused_port)):
        assert await asyncio.to_thread(lost, OF_AN_EXTENSION)
        assert not await asyncio.to_thread(lost, ours, pid=os.getpid())
        assert "is free" in await asyncio.to_thread(port_taken, unused_port)
