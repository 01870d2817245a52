"""Tests of `launcher/controller.py`, with real children. See test_running.py for the whole."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from launcher.controller import Controller
from launcher.keep_awake import KeepAwake
from launcher.service_state import ServiceState
from launcher.settings import LauncherSettings
from tests.fakes.forge_install import FakeForge
from tests.launcher.launching import nothing_left
from tests.processes import SUPERUSER_TOKEN, environment, submit
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.posix]


class Inhibitor:
    """Notes whether the machine is kept awake."""

    def __init__(self) -> None:
        self.told: list[bool] = []

    async def hold(self) -> None:
        self.told.append(True)

    async def release(self) -> None:
        self.told.append(False)


@contextlib.asynccontextmanager
async def controlled(
    data_dir: Path, forge_dir: Path | None, inhibitor: Inhibitor, **changes: str
) -> AsyncIterator[Controller]:
    """Both services, until the block ends."""
    environ = environment(
        {
            "HTTP_API_PORT": "0",
            "RT_API_PORT": "0",
            "SUPERUSER_ADMIN_TOKEN": SUPERUSER_TOKEN,
            **changes,
        }
    )
    settings = LauncherSettings.load(
        environ, data_dir=data_dir, forge_dir=forge_dir, working_dir=data_dir
    )
    (data_dir / "launcher").mkdir()
    controller = Controller(settings, environ, keep_awake=KeepAwake(inhibitor))
    running = asyncio.create_task(controller.run())
    try:
        await until(lambda: hasattr(controller, "_doctor") or running.done())
        yield controller
    finally:
        controller.stop()
        assert await running == 0


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


async def test_machine_stays_awake_while_there_is_work(
    tmp_path: Path, data_dir: Path, unused_port: int
) -> None:
    forge, inhibitor = FakeForge(tmp_path / "forge", f"--port {unused_port}"), Inhibitor()
    forge.behave(step_time_s=0.3)
    headers = {"Authorization": SUPERUSER_TOKEN}
    async with (
        nothing_left(data_dir, forge),
        controlled(data_dir, forge.root, inhibitor) as controller,
        aiohttp.ClientSession(headers=headers) as http,
    ):
        await until(lambda: controller.snapshot().status is not None)
        assert inhibitor.told == []
        url = controller.snapshot().url
        assert url is not None
        await submit(http, url, steps=12)
        await until(lambda: inhibitor.told == [True])
        assert controller.snapshot().keeps_awake
        await until(lambda: inhibitor.told == [True, False])
        await submit(http, url, steps=50)
        await until(lambda: len(inhibitor.told) == 3)
    assert inhibitor.told == [True, False, True, False]  # also when we end


async def test_login_that_its_owner_changes_is_used_after_a_restart(
    tmp_path: Path, data_dir: Path, unused_port: int
) -> None:
    forge = FakeForge(tmp_path / "forge", f"--port {unused_port} --api-auth me:firstpass")
    async with (
        nothing_left(data_dir, forge),
        controlled(data_dir, forge.root, Inhibitor()) as controller,
    ):
        await until(lambda: _is_ready(controller), 60)
        forge.set_arguments(f"--port {unused_port} --api-auth me:otherpass")
        controller.restart_service("forge")
        await until(lambda: controller.snapshot().navigator.starts == 2, 60)
        await until(lambda: _is_ready(controller), 60)
        assert len(forge.starts) == 2
    for log in (data_dir / "logs").iterdir():
        assert "otherpass" not in log.read_text()


def _is_ready(controller: Controller) -> bool:
    """Whether Navigator can draw with Forge."""
    status = controller.snapshot().status
    return status is not None and status.is_forge_ready


async def test_forge_on_another_machine_is_not_started(tmp_path: Path, data_dir: Path) -> None:
    forge = FakeForge(tmp_path / "forge")
    async with (
        nothing_left(data_dir, forge),
        controlled(
            data_dir, forge.root, Inhibitor(), SD_API_HOST="http://192.0.2.1:7860/sdapi/v1"
        ) as controller,
    ):
        await until(lambda: controller.snapshot().forge.state is ServiceState.FAILED)
        shown = controller.snapshot()
        assert "names another machine, 192.0.2.1" in str(shown.forge.sentence)
        assert forge.starts == []
        await until(lambda: controller.snapshot().navigator.state is ServiceState.RUNNING)


async def test_forge_listens_where_the_settings_say(
    tmp_path: Path, data_dir: Path, unused_port: int
) -> None:
    forge = FakeForge(tmp_path / "forge")
    address = f"http://localhost:{unused_port}/sdapi/v1"
    async with (
        nothing_left(data_dir, forge),
        controlled(
            data_dir, forge.root, Inhibitor(), SD_API_HOST=address, PATH=os.environ["PATH"]
        ) as controller,
    ):
        await until(lambda: controller.snapshot().forge.state is ServiceState.RUNNING)
        assert controller.snapshot().forge_url == f"http://127.0.0.1:{unused_port}"
        assert "--port" in forge.starts[0]["arguments"]
