"""How soon the tray's menu answers its panel: while all is well, and while everything hangs."""

import asyncio
import contextlib
import signal
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.bench.report import Figure
from tests.fakes.forge_install import FakeForge
from tests.launcher.desktop import Desktop
from tests.launcher.launching import launcher, server_file
from tests.launcher.tray_user import is_ready
from tests.waiting import until

_CALLS = 200
_PAUSE_S = 0.05  # so that they meet every moment of the launcher's own work
_PORT = 17861


async def measure() -> list[Figure]:
    """The whole menu over D-Bus, as a panel asks for it when somebody clicks the icon."""
    with tempfile.TemporaryDirectory(prefix="navigator-bench-") as folder:
        data_dir = Path(folder) / "data"
        forge = FakeForge(Path(folder) / "forge", f"--port {_PORT}")
        async with Desktop.opened(Path(folder)) as desktop:
            with launcher(
                data_dir,
                f"--forge-dir={forge.root}",
                is_headless=False,
                DBUS_SESSION_BUS_ADDRESS=desktop.address,
                BROWSER="true",
                XDG_CONFIG_HOME=str(Path(folder) / "config"),
            ):
                await until(lambda: is_ready(desktop), 60)
                well_s = await _answers_s(desktop)
                with _stopped(server_file(data_dir)["pid"], forge.starts[0]["pid"]):
                    hanging_s = await _answers_s(desktop)
    return [
        *_figures("menu", well_s),
        *_figures("menu while Navigator and Forge hang", hanging_s),
    ]


async def _answers_s(desktop: Desktop) -> list[float]:
    took_s = []
    for _ in range(_CALLS):
        began_s = time.perf_counter()
        await desktop.menu()
        took_s.append(time.perf_counter() - began_s)
        await asyncio.sleep(_PAUSE_S)
    return took_s


def _figures(name: str, took_s: list[float]) -> list[Figure]:
    return [
        Figure(f"{name}: median", statistics.median(took_s) * 1e3, "ms", at_most=50),
        Figure(f"{name}: 99 of 100", statistics.quantiles(took_s, n=100)[98] * 1e3, "ms",
               at_most=50),
    ]  # fmt: skip


@contextlib.contextmanager
def _stopped(*pids: int) -> Iterator[None]:
    """These do nothing while the block runs."""
    processes = [psutil.Process(pid) for pid in pids]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)
