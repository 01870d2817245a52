"""The launcher as a real process of a test, and nothing of it left afterwards."""

import contextlib
import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.fakes.forge_install import FakeForge
from tests.launcher.children import lives
from tests.processes import SUPERUSER_TOKEN, Child, Ended, child
from tests.waiting import until

LIMIT_S = 60.0
TOKEN = "token-of-the-launcher"
PID = 77


@contextlib.contextmanager
def launcher(
    data_dir: Path, *options: str, is_headless: bool = True, **settings: str
) -> Iterator[Child]:
    """`navigator-launcher --headless`, just started. It ends in order when the block does."""
    environ = {
        "HTTP_API_PORT": "0",
        "RT_API_PORT": "0",
        "SUPERUSER_ADMIN_TOKEN": SUPERUSER_TOKEN,
        **settings,
    }
    headless = ("--headless",) if is_headless else ()
    arguments = (*headless, f"--data-dir={data_dir}", *options)
    with child(*arguments, environ=environ, module="launcher") as started:
        try:
            yield started
        finally:
            if not started.has_ended:
                started.process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    started.process.wait(LIMIT_S)


def command(data_dir: Path, *arguments: str) -> contextlib.AbstractContextManager[Child]:
    """Another command of `navigator-launcher`, just started."""
    return child(f"--data-dir={data_dir}", *arguments, module="launcher")


async def told(data_dir: Path, *arguments: str) -> Ended:
    """How another command ended, and what it said."""
    with command(data_dir, *arguments) as asking:
        return await asking.ended()


async def status(data_dir: Path) -> dict[str, Any]:
    """What `status --json` says; nothing while the launcher does not answer."""
    ended = await told(data_dir, "status", "--json")
    found: dict[str, Any] = json.loads(ended.printed) if ended.code == 0 else {}
    return found


def server_file(data_dir: Path) -> dict[str, Any]:
    """Where Navigator is, once it listens; nothing before."""
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads((data_dir / "server.json").read_text())
        if lives(found["pid"]):
            return found
    return {}


async def both_run(data_dir: Path) -> dict[str, Any]:
    """What `status --json` says once Forge and Navigator run."""
    seen: dict[str, Any] = {}

    async def look() -> bool:
        nonlocal seen
        seen = await status(data_dir)
        return bool(seen) and all(
            seen[name]["state"] == "running" for name in ("forge", "navigator")
        )

    await until(look, LIMIT_S)
    return seen


@contextlib.asynccontextmanager
async def nothing_left(data_dir: Path, forge: FakeForge) -> AsyncIterator[None]:
    """Fails if a process of ours outlives the block, and ends it."""
    yield
    left = our_processes(data_dir, forge)
    deadline_s = time.monotonic() + 10
    while left and time.monotonic() < deadline_s:
        left = [process for process in left if lives(process.pid)]
        time.sleep(0.02)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    assert left == []


def our_processes(data_dir: Path, forge: FakeForge) -> list[psutil.Process]:
    """Everything that runs with this data folder, or in this folder of Forge's."""
    return list(_ours(data_dir, forge))


def _ours(data_dir: Path, forge: FakeForge) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE or process.pid == psutil.Process().pid:
                continue
            if f"--data-dir={data_dir}" in process.cmdline() or process.cwd() == str(forge.root):
                yield process


def write_server_file(folder: Path, url: str, pid: int = PID) -> None:
    """What Navigator writes once it listens."""
    (folder / "server.json").write_text(json.dumps({"url": url, "pid": pid, "token": "x"}))
