"""What the launcher costs: how soon Navigator answers, and what supervision takes when idle."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp
import psutil

from tests.bench.report import Figure
from tests.fakes.forge_install import FakeForge
from tests.launcher.launching import both_run, launcher, server_file
from tests.processes import Child

_STARTS = 5
_SETTLE_S = 15.0
_IDLE_S = 60.0
_PORT = 17860


async def measure() -> list[Figure]:
    """Median of several starts; memory and processor time of the launcher's own process."""
    with tempfile.TemporaryDirectory(prefix="navigator-bench-") as folder:
        data_dir = Path(folder) / "data"
        forge = FakeForge(Path(folder) / "forge", f"--port {_PORT}")
        starts_s = [await _start_s(data_dir, forge) for _ in range(_STARTS)]
        with launcher(data_dir, f"--forge-dir={forge.root}") as running:
            await both_run(data_dir)
            await asyncio.sleep(_SETTLE_S)
            process = psutil.Process(running.process.pid)
            began_s, used_s = time.monotonic(), _used_s(process)
            await asyncio.sleep(_IDLE_S)
            share = (_used_s(process) - used_s) / (time.monotonic() - began_s)
            memory = process.memory_full_info()
    return [
        Figure("start of the launcher to Navigator's first answer", statistics.median(starts_s),
               "s", at_most=2.5),
        Figure("supervision, idle: memory of its own", memory.uss / 1e6, "MB", at_most=40),
        Figure("supervision, idle: resident, with libraries that all share", memory.rss / 1e6,
               "MB"),
        Figure("supervision, idle: of a core", share * 100, "%", at_most=0.5),
    ]  # fmt: skip


async def _start_s(data_dir: Path, forge: FakeForge) -> float:
    """Seconds from the start of the process to the first answer."""
    began_s = time.monotonic()
    with launcher(data_dir, f"--forge-dir={forge.root}") as running:
        await _answers(running, data_dir)
        return time.monotonic() - began_s


async def _answers(running: Child, data_dir: Path) -> None:
    async with aiohttp.ClientSession() as http:
        while not running.has_ended:
            url = server_file(data_dir).get("url")
            if url is not None:
                async with http.get(f"{url}/api/config/version") as answer:
                    await answer.read()
                return
            await asyncio.sleep(0.01)
    raise AssertionError(running.errors)


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
