"""The simulator as tests and the demo hold it: one application, its server, its switches."""

import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from app.simulator.builtin_lists import JsonObject
from app.simulator.catalogue import Checkpoint, Embedding, Lora, Module
from app.simulator.faults import Fault
from app.simulator.forge import Forge
from app.simulator.gate import Gate
from app.simulator.loader import Catalogue
from app.simulator.options import SimulatorOptions
from app.simulator.routes import Handler, Routes


@dataclass(frozen=True)
class RecordedRequest:
    """A generation request as it came. `at_s` is `time.monotonic()`, once it was read."""

    path: str
    body: object
    at_s: float
    size_bytes: int


class Simulator:
    """A simulated Forge. `url` is there while `serving()` is entered.

    The lists (`checkpoints`, `loras`, …) are what lies on disk and may be changed in place at
    any time; what Forge has listed of it changes by its refresh calls or `restart()`.
    """

    def __init__(
        self, options: SimulatorOptions | None = None, catalogue: Catalogue | None = None
    ) -> None:
        self.options = options or SimulatorOptions()
        self.requests: deque[RecordedRequest] = deque()
        self.url = ""
        self._kept_bytes = 0
        self._disk = catalogue or Catalogue()
        self._forge = Forge(self.options, self._disk)
        self._routes = Routes(self._forge, self._record)
        self._gate = Gate(self._forge)
        self.calls = self._gate.calls
        self.app = self._build()

    @property
    def checkpoints(self) -> list[Checkpoint]:
        return self._disk.checkpoints

    @property
    def modules(self) -> list[Module]:
        return self._disk.modules

    @property
    def loras(self) -> list[Lora]:
        return self._disk.loras

    @property
    def embeddings(self) -> list[Embedding]:
        return self._disk.embeddings

    @property
    def samplers(self) -> list[JsonObject]:
        return self._disk.samplers

    @property
    def schedulers(self) -> list[JsonObject]:
        return self._disk.schedulers

    @property
    def upscalers(self) -> list[JsonObject]:
        return self._disk.upscalers

    @property
    def interrupts(self) -> int:
        """How many times `interrupt` was called."""
        return len(self._forge.interrupted_tasks)

    @property
    def interrupted_tasks(self) -> list[str | None]:
        """The task that was current at each call of `interrupt`."""
        return list(self._forge.interrupted_tasks)

    @property
    def unloads_during(self) -> list[str]:
        """The task that ran, for each call of `unload-checkpoint` that came during a run."""
        return list(self._forge.unloads_during)

    @property
    def is_gpu_free(self) -> bool:
        """Whether no checkpoint is on the GPU."""
        return not self._forge.loader.is_on_gpu

    @property
    def loaded_checkpoint(self) -> str | None:
        """`model_name` of the checkpoint in memory."""
        model = self._forge.loader.model
        return model.model_name if model else None

    @property
    def loaded_modules(self) -> list[str]:
        """Files of the additional modules in memory."""
        return list(self._forge.loader.modules)

    @property
    def active_task(self) -> str | None:
        """The task id that Forge calls current: also one that threw, until the next starts."""
        return self._forge.tasks.current

    def inject(self, fault: Fault) -> None:
        self._forge.faults.inject(fault)

    def clear_faults(self) -> None:
        """Switches all faults off; what hangs goes on."""
        self._forge.faults.clear()

    def set_uptime(self, uptime_s: float) -> None:
        """Moves the startup window: Forge behaves as if it had started this long ago."""
        self._forge.started_at = time.monotonic() - uptime_s

    async def restart(self) -> None:
        """Kills the process and starts another: connections break, all memory is lost.

        Faults, `requests`, `calls` and `interrupts` stay; files and saved options stay too.
        """
        self._gate.break_connections()
        await self._routes.stop_runs()
        self._forge.restart()

    @asynccontextmanager
    async def serving(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator["Simulator"]:
        """Serves HTTP; port 0 takes a free one."""
        runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            self.url = f"http://{host}:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    def _build(self) -> web.Application:
        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._gate.handle(request, handler)

        # No limit for bodies: Forge has none.
        app = web.Application(middlewares=[gate], client_max_size=0)
        app.add_routes(self._routes.table())
        app.on_response_prepare.append(_set_server_header)
        app.on_shutdown.append(self._shut_down)
        return app

    async def _shut_down(self, app: web.Application) -> None:
        self._gate.break_connections()
        await self._routes.stop_runs()
        self._forge.close()

    def _record(self, path: str, body: object, size_bytes: int) -> None:
        self.requests.append(RecordedRequest(path, body, time.monotonic(), size_bytes))
        self._kept_bytes += size_bytes
        while len(self.requests) > 1 and (
            len(self.requests) > self.options.kept_requests
            or self._kept_bytes > self.options.kept_request_bytes
        ):
            self._kept_bytes -= self.requests.popleft().size_bytes


async def _set_server_header(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "uvicorn"
