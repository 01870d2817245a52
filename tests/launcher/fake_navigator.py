"""The part of Navigator's admin API that the launcher uses, as a test wants it to answer."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.fakes.serving import served

PID = 4242


@dataclass
class FakeNavigator:
    """What it says. `calls` are what was changed, in order."""

    restart_wanted: str | None = None
    job: str | None = None
    waiting: int = 0
    pause: dict[str, Any] = field(
        default_factory=lambda: {"paused": False, "paused_at": None, "resumes_at": None}
    )
    calls: list[str] = field(default_factory=list)
    is_away: bool = False

    @contextlib.asynccontextmanager
    async def serving(self, data_dir: Path) -> AsyncIterator[None]:
        """Answers while the block runs, and is found through `data_dir`."""
        app = web.Application()
        app.router.add_get("/api/admin/status", self._status)
        app.router.add_post("/api/admin/queue/pause", self._pause)
        app.router.add_post("/api/admin/queue/resume", self._resume)
        async with served(app) as url:
            (data_dir / "server.json").write_text(json.dumps({"url": url, "pid": PID}))
            yield

    async def _status(self, _: web.Request) -> web.Response:
        if self.is_away:
            return web.Response(status=503)
        running = {"job_id": self.job} if self.job is not None else None
        return web.json_response(
            {
                "forge": {"restart_wanted": self.restart_wanted, "status": "ready"},
                "queue": self.pause | {"running": running, "waiting": self.waiting},
            }
        )

    async def _pause(self, request: web.Request) -> web.Response:
        minutes = (await request.json())["minutes"]
        self.calls.append(f"pause {minutes:g}")
        self.pause = {"paused": True, "paused_at": "10:00", "resumes_at": f"10:{minutes:g}"}
        return web.json_response(self.pause)

    async def _resume(self, _: web.Request) -> web.Response:
        self.calls.append("resume")
        self.pause = {"paused": False, "paused_at": None, "resumes_at": None}
        return web.json_response(self.pause)
