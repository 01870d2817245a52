"""A Navigator that knows the launcher; and what cannot be collected everywhere."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from app.accounts.caller import LAUNCHER_ID
from launcher.navigator_api import NavigatorApi
from launcher.output import Output
from launcher.people import People
from tests.launcher.children import lives
from tests.launcher.launching import PID, TOKEN, write_server_file
from tests.launcher.toys import Toy
from tests.running import RunningNavigator, running_navigator

# They bring a bus of their own, and dbus-fast is installed on Linux only.
_NEED_DBUS = ["test_dbus_item.py", "test_dbus_menu.py", "test_desktop.py", "test_keep_awake.py",
              "test_tray_dbus.py"]  # fmt: skip
collect_ignore = [] if sys.platform == "linux" else _NEED_DBUS


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    async with running_navigator(tmp_path, programs={TOKEN: LAUNCHER_ID}) as running:
        yield running


@pytest.fixture
async def people(server: RunningNavigator, tmp_path: Path) -> AsyncIterator[People]:
    write_server_file(tmp_path, server.url)
    async with aiohttp.ClientSession() as session:
        api = NavigatorApi(session, tmp_path, TOKEN)
        await api.find(PID)
        yield People(api)


@pytest.fixture
async def toy(tmp_path: Path) -> AsyncIterator[Toy]:
    output = Output("toy", tmp_path)
    made = Toy(output)
    yield made
    output.close()
    assert not any(lives(pid) for pid in made.pids)
