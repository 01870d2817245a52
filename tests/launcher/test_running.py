"""Tests of `launcher/running.py`: the whole launcher as a process, with all that it starts."""

import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from launcher.ports import is_taken
from tests.fakes.forge_install import FakeForge
from tests.launcher.children import lives
from tests.launcher.launching import (
    LIMIT_S,
    both_run,
    launcher,
    nothing_left,
    server_file,
    status,
    told,
)
from tests.processes import SUPERUSER_TOKEN, submit
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.posix]

HEADERS = {"Authorization": SUPERUSER_TOKEN}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def forge(tmp_path: Path, unused_port: int, data_dir: Path) -> AsyncIterator[FakeForge]:
    """An install whose owner has chosen a free port. Nothing of it is left afterwards."""
    made = FakeForge(tmp_path / "forge", f"--xformers --port {unused_port}")
    async with nothing_left(data_dir, made):
        yield made


async def picture(url: str) -> None:
    """A friend's picture."""
    async with aiohttp.ClientSession(headers=HEADERS) as http:
        job_id = await submit(http, url)

        async def is_there() -> bool:
            async with http.get(f"{url}/api/images/{job_id}") as answer:
                return answer.status == 200

        await until(is_there)


@pytest.mark.parametrize("how", ["stop", signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_both_come_up_friends_draw_and_stop_leaves_nothing(
    forge: FakeForge, data_dir: Path, how: str | signal.Signals
) -> None:
    with launcher(data_dir, f"--forge-dir={forge.root}") as running:
        shown = await both_run(data_dir)
        assert shown["forge"]["pid"] == forge.starts[0]["pid"]
        url = server_file(data_dir)["url"]
        assert shown["navigator"]["url"] == url
        await picture(url)
        if isinstance(how, str):
            stopped = await told(data_dir, how)
            assert (stopped.code, stopped.printed) == (0, "All is stopped.\n")
            ended = await running.ended(1)
        else:
            ended, took_s = await running.stop(how)
            assert took_s < 15
        assert ended.code == 0
        assert "[forge] Startup time" in ended.errors
        assert "listening on" in ended.errors
        assert "[launcher] all is stopped" in ended.errors
        assert "Traceback" not in ended.errors
    logs = sorted(path.name for path in (data_dir / "logs").iterdir())
    assert logs == ["forge.log", "launcher.log", "navigator-output.log", "navigator.log"]
    assert (await told(data_dir, "status")).code == 1


async def test_restart_of_one_leaves_the_other_alone(forge: FakeForge, data_dir: Path) -> None:
    with launcher(data_dir, f"--forge-dir={forge.root}"):
        before = await both_run(data_dir)
        assert (await told(data_dir, "restart", "forge")).code == 0
        await until(lambda: len(forge.starts) == 2)
        after = await both_run(data_dir)
        assert after["navigator"]["pid"] == before["navigator"]["pid"]
        assert (await told(data_dir, "restart", "navigator")).code == 0
        await until(lambda: not lives(before["navigator"]["pid"]))
        last = await both_run(data_dir)
        assert last["forge"]["pid"] == after["forge"]["pid"]
        assert last["navigator"]["starts"] == 2


async def test_second_launcher_shows_the_first_and_ends(forge: FakeForge, data_dir: Path) -> None:
    with launcher(data_dir, f"--forge-dir={forge.root}"):
        await both_run(data_dir)
        with launcher(data_dir) as second:
            ended = await second.ended()
        assert ended.code == 0
        assert "runs already" in ended.printed
        assert "Forge: running" in ended.printed
        await both_run(data_dir)
        assert len(forge.starts) == 1


async def test_killed_launcher_takes_navigator_with_it_and_the_next_one_ends_forge(
    forge: FakeForge, data_dir: Path
) -> None:
    with launcher(data_dir, f"--forge-dir={forge.root}") as running:
        shown = await both_run(data_dir)
        running.kill()
        await until(lambda: not lives(shown["navigator"]["pid"]))
        assert lives(shown["forge"]["pid"])
    with launcher(data_dir, f"--forge-dir={forge.root}"):
        again = await both_run(data_dir)
        assert not lives(shown["forge"]["pid"])
        assert again["forge"]["pid"] == forge.starts[1]["pid"]
        assert again["forge"]["url"] == shown["forge"]["url"]


async def test_invalid_setting_is_told_and_ends_it(forge: FakeForge, data_dir: Path) -> None:
    options = [f"--forge-dir={forge.root}"]
    with launcher(data_dir, *options, JOB_ATTEMPTS="0") as running:
        ended = await running.ended()
    assert ended.code == 78
    assert ended.errors.count("Navigator is given up: JOB_ATTEMPTS: ") == 1
    with launcher(data_dir, *options, FORGE_RAM_LIMIT="much") as running:
        ended = await running.ended()
    assert ended.code == 78
    assert ended.errors.startswith("navigator-launcher: FORGE_RAM_LIMIT: must be a number")


async def test_taken_port_of_navigator_is_told(
    forge: FakeForge, data_dir: Path, unused_port: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = (f"--forge-dir={forge.root}", f"--http-port={port}")
        with launcher(data_dir, *options, RESTART_LIMIT="2") as running:
            ended = await running.ended()
    assert ended.code == 1
    name = psutil.Process().name()
    assert f"port {port} of 127.0.0.1 is taken by another program" in ended.errors
    assert f"It is {name} (process {os.getpid()})" in ended.errors
    assert "is free" in ended.errors


async def test_taken_port_of_forge_is_left_to_its_holder(
    forge: FakeForge, data_dir: Path, unused_port: int
) -> None:
    with (
        socket.create_server(("127.0.0.1", unused_port)),
        launcher(data_dir, f"--forge-dir={forge.root}") as running,
    ):
        shown = await both_run(data_dir)
        assert shown["forge"]["url"] != f"http://127.0.0.1:{unused_port}"
        assert f"Port {unused_port} is taken by" in shown["notice"]
        await picture(shown["navigator"]["url"])
        await running.stop()


async def test_forge_with_a_login_is_used(tmp_path: Path, unused_port: int, data_dir: Path) -> None:
    forge = FakeForge(tmp_path / "forge", f"--port {unused_port} --api-auth me:secret7")
    async with nothing_left(data_dir, forge):
        with launcher(data_dir, f"--forge-dir={forge.root}") as running:
            shown = await both_run(data_dir)
            await picture(shown["navigator"]["url"])
            ended, _ = await running.stop()
        assert "secret7" not in ended.errors


async def test_navigator_serves_without_a_forge(data_dir: Path, forge: FakeForge) -> None:
    forge.behave(crashes=100)
    with launcher(data_dir, f"--forge-dir={forge.root}") as running:
        await until(lambda: "is given up" in running.errors)
        shown = await status(data_dir)
        assert shown["forge"]["state"] == "failed"
        assert "RuntimeError: it is broken" in shown["forge"]["sentence"]
        await until(lambda: server_file(data_dir))
        ended, _ = await running.stop()
        assert ended.code == 0


async def test_restart_of_a_forge_that_was_started_by_hand_is_refused(
    forge: FakeForge, data_dir: Path, unused_port: int
) -> None:
    command = [str(forge.root / "venv" / "bin" / "python"), "launch.py", "--api"]
    environ = {**os.environ, "COMMANDLINE_ARGS": f"--port {unused_port}"}
    by_hand = subprocess.Popen(
        command, cwd=forge.root, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await until(lambda: is_taken(unused_port), LIMIT_S)
        with launcher(data_dir, f"--forge-dir={forge.root}"):
            shown = await both_run(data_dir)
            assert shown["forge"]["is_foreign"]
            refused = await told(data_dir, "restart", "forge")
            assert (refused.code, refused.printed) == (1, "")
            assert "was started by somebody else" in refused.errors
        assert by_hand.poll() is None
    finally:
        by_hand.kill()
        by_hand.wait()
