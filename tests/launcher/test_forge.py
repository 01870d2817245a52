"""Tests of `launcher/forge.py`: a folder that looks like a Forge install, under supervision."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from launcher.forge import Forge
from launcher.forge_probe import ForgeProbe
from launcher.output import Output
from launcher.record import RecordFile
from launcher.restart_policy import RestartPolicy
from launcher.service import Service
from launcher.service_state import ServiceState
from launcher.settings import ForgeAddress
from tests.fakes.forge_install import FakeForge
from tests.launcher.children import lives
from tests.waiting import until

pytestmark = pytest.mark.posix


@contextlib.asynccontextmanager
async def supervised(
    folder: Path | None, tmp_path: Path, port: int, *, host: str = "127.0.0.1", **environ: str
) -> AsyncIterator[Service]:
    """A supervised Forge. Nothing of it is left when the block has ended."""
    output = Output("forge", tmp_path / "logs", secrets=["me:secret"])
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(output.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        address = ForgeAddress(host, port, environ.pop("auth", None))
        probe = ForgeProbe(session, address, timeout_s=1)
        base = dict(os.environ) | environ
        forge = Forge(probe, folder, base, output.lines, silence_s=30)
        service = Service(
            forge,
            output,
            RecordFile(tmp_path / "forge.json"),
            policy=RestartPolicy(limit=3, first_pause_s=0.05, longest_pause_s=0.05),
        )
        service.start()
        async with service.supervised():
            yield service


@pytest.fixture
def install(tmp_path: Path) -> FakeForge:
    return FakeForge(tmp_path / "my forge", "--api-auth me:secret")


@contextlib.asynccontextmanager
async def running(
    install: FakeForge, tmp_path: Path, port: int, **changes: str
) -> AsyncIterator[Service]:
    """As `supervised`, once it is ready."""
    async with supervised(install.root, tmp_path, port, auth="me:secret", **changes) as service:
        await until(lambda: service.state is ServiceState.RUNNING)
        yield service
    assert not any(lives(start["pid"]) for start in install.starts)


async def test_forge_is_started_as_its_owner_would(
    install: FakeForge, tmp_path: Path, unused_port: int
) -> None:
    install.behave(starts_after_s=0.3, window_s=0.6, installs=3)
    outside = {"NAVIGATOR_LAUNCHER_TOKEN": "x", "PYTHONPATH": "/ours", "_PYI_ARCHIVE_FILE": "x"}
    async with supervised(
        install.root, tmp_path, unused_port, auth="me:secret", **outside
    ) as service:
        await until(lambda: "Installing" in service.snapshot.last_line)
        assert service.state is ServiceState.STARTING
        await until(lambda: service.state is ServiceState.RUNNING)
        (start,) = install.starts
        assert start["pid"] == service.snapshot.pid
        assert start["cwd"] == str(install.root)
        arguments = ["--api", "--port", str(unused_port), "--api-auth", "me:secret"]
        assert start["arguments"] == arguments
        assert start["environ"].keys() == {
            "COMMANDLINE_ARGS", "SD_WEBUI_RESTART", "SD_WEBUI_RESTARTING", "VIRTUAL_ENV",
        }  # fmt: skip
    log = (tmp_path / "logs" / "forge.log").read_text()
    assert "Startup time" in log
    assert "secret" not in log


async def test_first_start_goes_through_its_script(tmp_path: Path, unused_port: int) -> None:
    install = FakeForge(tmp_path / "forge", has_venv=False)
    async with supervised(install.root, tmp_path, unused_port) as service:
        await until(lambda: service.state is ServiceState.RUNNING)
        assert install.starts[0]["pid"] != service.snapshot.pid  # the shell's child
        assert (install.root / "venv" / "bin" / "python").exists()
    assert not lives(install.starts[0]["pid"])


async def test_forge_that_crashes_says_why_and_comes_back(
    install: FakeForge, tmp_path: Path, unused_port: int
) -> None:
    async with running(install, tmp_path, unused_port) as service:
        seen: list[str] = []
        service._changed = lambda: seen.append(str(service.snapshot.sentence))
        install.tell("crash")
        await until(lambda: service.snapshot.starts == 2)
        await until(lambda: service.state is ServiceState.RUNNING)
        assert "The GPU failed (an illegal memory access was encountered)." in seen


async def test_forge_that_crashes_at_each_start_is_given_up(
    install: FakeForge, tmp_path: Path, unused_port: int
) -> None:
    install.behave(crashes=100, crash_says="launch.py: error: unrecognized arguments: --xformer")
    async with supervised(install.root, tmp_path, unused_port) as service:
        await until(lambda: service.state is ServiceState.FAILED)
        assert len(install.starts) == 3
        assert service.snapshot.sentence == (
            "It failed 3 times within 60 s: Forge does not know the flag --xformer; take it out of"
            " COMMANDLINE_ARGS."
        )


async def test_restart_that_its_own_page_asks_for_is_no_failure(
    install: FakeForge, tmp_path: Path, unused_port: int
) -> None:
    async with running(install, tmp_path, unused_port) as service:
        for start in range(2, 6):  # more than failures are allowed
            install.tell("restart")
            await until(
                lambda start=start: (  # type: ignore[misc]
                    service.snapshot.starts == start and service.state is ServiceState.RUNNING
                )
            )


@pytest.mark.parametrize("has_venv", [True, False])
async def test_children_of_forge_that_ignores_us_are_ended(
    tmp_path: Path, unused_port: int, has_venv: bool
) -> None:
    install = FakeForge(tmp_path / "forge", has_venv=has_venv)
    install.behave(ignores_sigterm=True, forks=True)
    async with supervised(install.root, tmp_path, unused_port) as service:
        service._program.grace_s = 0.3
        await until(lambda: service.state is ServiceState.RUNNING)
        forge = psutil.Process(install.starts[0]["pid"])
        family = [forge, *forge.children(recursive=True)]
        assert len(family) == 2
    assert not any(lives(process.pid) for process in family)


async def test_forge_of_somebody_else_is_used_and_left_alone(
    install: FakeForge, tmp_path: Path, unused_port: int
) -> None:
    by_hand = subprocess.Popen(
        [sys.executable, "-u", "launch.py", "--port", str(unused_port)],
        cwd=install.root,
        env={"PATH": os.environ["PATH"], "COMMANDLINE_ARGS": "--api-auth me:secret"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession() as session:
            probe = ForgeProbe(session, ForgeAddress("127.0.0.1", unused_port, "me:secret"))
            await until(probe.is_ready)
        async with supervised(install.root, tmp_path, unused_port, auth="me:secret") as service:
            await until(lambda: service.state is ServiceState.RUNNING)
            assert (service.snapshot.is_foreign, len(install.starts)) == (True, 1)
        assert by_hand.poll() is None
    finally:
        by_hand.kill()
        by_hand.wait()


async def test_taken_port_is_recognised_and_told(
    install: FakeForge, tmp_path: Path, unused_port: int
) -> None:
    with socket.create_server(("127.0.0.1", unused_port)):
        async with supervised(install.root, tmp_path, unused_port) as service:
            await until(lambda: service.state is ServiceState.BACKOFF)
            name = psutil.Process().name()
            told = f"Port {unused_port} is taken by {name} (process {os.getpid()}); "
            assert told in str(service.snapshot.sentence)
            for _ in range(5):  # more than failures are allowed
                service.start()
            await asyncio.sleep(0.2)
            assert (service.state, install.starts) == (ServiceState.BACKOFF, [])


async def test_port_that_becomes_free_is_taken(
    install: FakeForge, tmp_path: Path, unused_port: int
) -> None:
    with socket.create_server(("127.0.0.1", unused_port)):
        starting = supervised(install.root, tmp_path, unused_port, auth="me:secret")
        service = await starting.__aenter__()
        await until(lambda: service.state is ServiceState.BACKOFF)
    try:
        await until(lambda: service.state is ServiceState.RUNNING)
    finally:
        await starting.__aexit__(None, None, None)


async def test_foreign_forge_that_is_silent_for_long_gets_no_second_one(
    install: FakeForge, tmp_path: Path, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.service._LOOK_RUNNING_S", 0.05)
    monkeypatch.setattr("launcher.service._MISSES", 1)
    install.set_arguments("")
    by_hand = subprocess.Popen(
        [sys.executable, "-u", "launch.py", "--port", str(unused_port)],
        cwd=install.root,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession() as session:
            probe = ForgeProbe(session, ForgeAddress("127.0.0.1", unused_port))
            await until(probe.is_ready)
        async with supervised(install.root, tmp_path, unused_port) as service:
            await until(lambda: service.state is ServiceState.RUNNING)
            by_hand.send_signal(signal.SIGSTOP)  # as while it loads a checkpoint
            await asyncio.sleep(3)  # an answer is waited for for a second
            assert (service.snapshot.is_foreign, len(install.starts)) == (True, 1)
            by_hand.kill()
            await until(lambda: len(install.starts) == 2)
            await until(lambda: service.state is ServiceState.RUNNING)
            assert not service.snapshot.is_foreign
    finally:
        by_hand.kill()
        by_hand.wait()


async def test_forge_that_is_to_serve_https_is_told(tmp_path: Path, unused_port: int) -> None:
    install = FakeForge(tmp_path / "forge", "--tls-keyfile k.pem --tls-certfile c.pem")
    async with supervised(install.root, tmp_path, unused_port) as service:
        await until(lambda: service.state is ServiceState.FAILED)
        assert "--tls-certfile out of COMMANDLINE_ARGS" in str(service.snapshot.sentence)


async def test_missing_forge_is_told_and_used_once_it_is_there(
    install: FakeForge, tmp_path: Path, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with supervised(None, tmp_path, unused_port) as service:
        await until(lambda: service.state is ServiceState.FAILED)
        assert "FORGE_DIR" in str(service.snapshot.sentence)
    async with supervised(tmp_path / "nowhere", tmp_path, unused_port) as service:
        await until(lambda: service.state is ServiceState.FAILED)
        assert "is no folder" in str(service.snapshot.sentence)
    async with supervised(install.root, tmp_path, unused_port, host="192.0.2.1") as service:
        await until(lambda: service.state is ServiceState.FAILED)
        assert "another machine" in str(service.snapshot.sentence)
