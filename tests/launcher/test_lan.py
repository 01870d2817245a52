"""Tests of `launcher/lan.py`."""

import asyncio
import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web

from launcher.lan import addresses, why_unreachable
from tests.fakes.serving import served


def at(*found: str) -> list[SimpleNamespace]:
    """Addresses of an interface, as psutil tells them."""
    return [
        SimpleNamespace(family=socket.AF_INET6 if ":" in one else socket.AF_INET, address=one)
        for one in found
    ]


def test_real_addresses_come_first() -> None:
    interfaces = {
        "lo": at("127.0.0.1", "::1"),
        "docker0": at("172.17.0.1"),
        "tailscale0": at("100.64.0.7"),
        "wlp3s0": at("192.168.1.21", "fe80::1"),
        "enp5s0": at("192.168.1.20"),
        "eth9": at("10.9.9.9"),  # which is down
        "enp6s0": at("169.254.3.4", "junk"),
        "Wi-Fi 2": at("192.168.2.5"),
        "vEthernet (WSL)": at("172.20.0.1"),
        "mystery0": at("10.1.1.1"),
    }
    up = interfaces.keys() - {"eth9"}
    assert addresses(interfaces, up) == [
        "192.168.1.20", "192.168.1.21", "192.168.2.5", "10.1.1.1", "172.17.0.1", "172.20.0.1",
        "100.64.0.7",
    ]  # fmt: skip


def test_this_machine_has_some() -> None:
    assert all(not one.startswith("127.") for one in addresses())


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def test_cause_is_named(
    session: aiohttp.ClientSession, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = iter([200, 404])

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"branch": "x", "commit": "y"}, status=next(statuses))

    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    app = web.Application()
    app.router.add_get("/api/config/version", answer)
    app.router.add_get("/slow/api/config/version", hang)
    async with served(app) as url:
        assert await why_unreachable(session, url) is None
        assert "Something else answers" in str(await why_unreachable(session, url))
        monkeypatch.setattr("launcher.lan._TIMEOUT_S", 0.1)
        assert "a firewall" in str(await why_unreachable(session, f"{url}/slow"))
    nobody = f"http://127.0.0.1:{unused_port}"
    assert await why_unreachable(session, nobody) == f"Nothing listens at {nobody}."
