"""Tests of `launcher/forge_plan.py`. See also test_running.py and test_controller.py."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import aiohttp
import pytest

from app.simulator import Simulator, SimulatorOptions
from launcher.forge_plan import ForgePlan, chosen_port, planned
from launcher.ports import is_taken
from launcher.settings import LauncherSettings
from tests.fakes.forge_install import FakeForge
from tests.waiting import until

pytestmark = pytest.mark.posix  # its flags are those of a `webui-user.sh`


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def plan_of(
    session: aiohttp.ClientSession, tmp_path: Path, flags: str, **environ: str
) -> ForgePlan:
    """The plan for an owner with these flags and settings."""
    forge = FakeForge(tmp_path / "forge", flags)
    settings = LauncherSettings.load(
        environ, data_dir=tmp_path / "data", forge_dir=forge.root, working_dir=tmp_path
    )
    return await planned(session, settings, environ)


@pytest.mark.parametrize(
    ("flags", "url"),
    [
        ("--port {port}", "http://127.0.0.1:{port}"),
        ("--port {port} --server-name 0.0.0.0", "http://127.0.0.1:{port}"),
        ("--port {port} --server-name 127.0.0.2", "http://127.0.0.2:{port}"),
        ("--port {port} --server-name ::1", "http://[::1]:{port}"),
    ],
)
async def test_owners_flags_say_where_it_will_be(
    session: aiohttp.ClientSession, tmp_path: Path, unused_port: int, flags: str, url: str
) -> None:
    plan = await plan_of(session, tmp_path, flags.format(port=unused_port))
    assert plan.address.url == url.format(port=unused_port)
    assert plan.address.is_here


async def test_address_that_its_owner_binds_it_to_is_ours(
    session: aiohttp.ClientSession, tmp_path: Path, unused_port: int
) -> None:
    plan = await plan_of(session, tmp_path, f"--port {unused_port} --server-name 192.0.2.1")
    assert plan.address.host == "192.0.2.1"
    assert plan.address.is_here


async def test_address_of_the_settings_wins_over_the_owners_port(
    session: aiohttp.ClientSession, tmp_path: Path, unused_port: int
) -> None:
    host = f"http://localhost:{unused_port}/sdapi/v1"
    plan = await plan_of(session, tmp_path, "--port 7865 --api-auth a:b", SD_API_HOST=host)
    assert plan.address.url == f"http://127.0.0.1:{unused_port}"
    assert plan.address.auth == "a:b"


async def test_tunnel_to_another_forge_is_used(
    session: aiohttp.ClientSession, tmp_path: Path, unused_port: int
) -> None:
    async with Simulator(SimulatorOptions()).serving() as simulator:
        port = urlsplit(simulator.url).port
        plan = await plan_of(
            session,
            tmp_path,
            f"--port {unused_port}",
            SD_API_HOST=f"http://localhost:{port}/sdapi/v1",
        )
        assert plan.address.url == f"http://localhost:{port}"
        assert plan.notice is None


async def test_own_addresses_are_of_this_machine(
    session: aiohttp.ClientSession,
    tmp_path: Path,
    unused_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = {"eth0": [SimpleNamespace(address="192.0.2.7")]}
    monkeypatch.setattr("psutil.net_if_addrs", lambda: told)
    host = f"http://192.0.2.7:{unused_port}/sdapi/v1"
    plan = await plan_of(session, tmp_path, "--listen", SD_API_HOST=host)
    assert plan.address.url == f"http://127.0.0.1:{unused_port}"
    assert plan.folder == tmp_path / "forge"


async def test_forge_that_others_are_starting_is_waited_for(
    session: aiohttp.ClientSession, tmp_path: Path, unused_port: int
) -> None:
    by_hand = FakeForge(tmp_path / "by hand")
    by_hand.behave(window_s=2)
    with subprocess.Popen(
        [sys.executable, "-u", "launch.py", "--port", str(unused_port)],
        cwd=by_hand.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as started:
        try:
            await until(lambda: is_taken(unused_port))
            plan = await plan_of(session, tmp_path, f"--port {unused_port}")
            assert (plan.address.port, plan.notice) == (unused_port, None)
        finally:
            started.kill()


async def test_https_stays_where_forge_speaks_it(
    session: aiohttp.ClientSession, tmp_path: Path, unused_port: int
) -> None:
    flags = f"--tls-keyfile k --tls-certfile c --port {unused_port}"
    host = f"https://localhost:{unused_port}/sdapi/v1"
    plan = await plan_of(session, tmp_path, flags, SD_API_HOST=host)
    assert plan.address.url == f"https://localhost:{unused_port}"


async def test_scheme_of_another_machine_stays(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    plan = await plan_of(session, tmp_path, "", SD_API_HOST="https://forge.example/sdapi/v1")
    assert plan.address.url == "https://forge.example:443"
    assert not plan.address.is_here


async def test_free_port_is_taken_and_another_one_told(unused_port: int) -> None:
    assert await asyncio.to_thread(chosen_port, unused_port) == (unused_port, None)
    with socket.create_server(("127.0.0.1", unused_port)):
        port, sentence = await asyncio.to_thread(chosen_port, unused_port)
        assert port > unused_port
        assert f"Port {unused_port} is taken by" in str(sentence)
        assert f"Forge takes {port}" in str(sentence)
