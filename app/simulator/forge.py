"""The parts of one simulated Forge process, put together. Serves no HTTP.

A restart replaces what a process holds in memory and keeps what lies on its disk.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from app.simulator.errors import DetailError, PythonError
from app.simulator.faults import Faults
from app.simulator.forge_options import ForgeOptions
from app.simulator.loader import Catalogue, Loader
from app.simulator.options import SimulatorOptions
from app.simulator.tasks import JobState, TaskTable

ParamsT = ParamSpec("ParamsT")
ResultT = TypeVar("ResultT")


class Forge:
    """State of the process: options, loader, task table, job state, the generation lock."""

    def __init__(self, settings: SimulatorOptions, disk: Catalogue) -> None:
        self.settings = settings
        self.disk = disk
        self.faults = Faults()
        disk.look()
        first = disk.checkpoints[0].title if disk.checkpoints else None
        self.options = ForgeOptions(first, settings.preview_every_n_steps)
        self.interrupted_tasks: list[str | None] = []
        self.unloads_during: list[str] = []
        self._pool: ThreadPoolExecutor | None = None
        self._boot()

    def _boot(self) -> None:
        self.tasks = TaskTable()
        self.state = JobState()
        self.lock = asyncio.Lock()
        self.preview_lock = asyncio.Lock()
        self.loader = Loader(self.disk, self.options, self.settings.checkpoint_load_time_s)
        self.started_at = time.monotonic()

    def restart(self) -> None:
        """Starts the process anew: `POST options` was saved, overrides were not."""
        self.options.reload()
        self._boot()

    def check_startup(self, path: str) -> None:
        """Raises what Forge answers on this path while it is still starting."""
        up_s = time.monotonic() - self.started_at
        if up_s >= self.settings.startup_time_s or not self.settings.ui or path == "/":
            return
        extension = path.endswith(("/loras", "/refresh-loras"))
        if up_s < self.settings.startup_time_s / 2 or extension:
            raise DetailError(404, "Not Found")
        if path.endswith("/embeddings"):
            raise PythonError("AttributeError", "'Api' object has no attribute 'embedding_db'")

    async def in_thread(
        self, function: Callable[ParamsT, ResultT], *args: ParamsT.args, **kwargs: ParamsT.kwargs
    ) -> ResultT:
        """Runs blocking picture work beside the event loop, two at a time at most."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(2, "forge-simulator")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: function(*args, **kwargs))

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
