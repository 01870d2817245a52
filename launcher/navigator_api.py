"""Navigator's admin API, as far as the launcher needs it. The token goes into a header only."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from launcher.errors import LauncherError

_TIMEOUT_S = 5.0
_GOOD = frozenset({200, 201, 202})
_REFUSALS = frozenset({400, 403, 404, 409, 429})
_SERVER_FILE = "server.json"  # which Navigator writes once it listens


class NavigatorAway(LauncherError):
    """Navigator does not answer, or not as it should."""


class NavigatorRefuses(NavigatorAway):
    """Navigator does not do what it was asked for, and says why."""


@dataclass(frozen=True)
class Endpoint:
    """Where a running Navigator is; `pid` is its process."""

    url: str
    pid: int


@dataclass(frozen=True)
class Pause:
    """A pause of the queue: when it began and ends, as Navigator writes it; None for neither."""

    is_paused: bool
    began: str | None = None
    ends: str | None = None


@dataclass(frozen=True)
class NavigatorStatus:
    """What `GET /api/admin/status` says, as far as it is needed here.

    `restart_wanted` says why only a restart of Forge helps. `job` runs now, None for none.
    `waiting` is how many jobs wait. `told` is all of it.
    """

    restart_wanted: str | None
    is_forge_ready: bool
    job: str | None
    waiting: int
    pause: Pause
    told: dict[str, Any] = field(repr=False)

    @property
    def has_work(self) -> bool:
        """Whether a job runs, or waits for nothing but its turn."""
        return self.job is not None or (self.waiting > 0 and not self.pause.is_paused)


class NavigatorApi:
    """Talks to the Navigator of one data folder."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        data_dir: Path,
        token: str,
        *,
        timeout_s: float = _TIMEOUT_S,
    ):
        self._session = session
        self._file = data_dir / _SERVER_FILE
        self._token = token
        self._timeout_s = timeout_s
        self._endpoint: Endpoint | None = None
        self._found_for: int | None = None

    @property
    def url(self) -> str | None:
        """Where it was found."""
        return self._endpoint.url if self._endpoint is not None else None

    async def find(self, pid: int) -> Endpoint | None:
        """Where the Navigator that was started as this process listens; None while it does not."""
        if self._endpoint is None or self._found_for != pid:
            self._endpoint = await asyncio.to_thread(_read, self._file, pid)
            self._found_for = pid
        return self._endpoint

    def forget(self) -> None:
        """There is no Navigator any more."""
        self._endpoint = None

    async def status(self) -> NavigatorStatus:
        """What goes on. Raises `NavigatorAway`, as all of these."""
        told = await self.ask("GET", "/api/admin/status")
        try:
            forge, queue = told["forge"], told["queue"]
            running = queue["running"]
            return NavigatorStatus(
                restart_wanted=forge["restart_wanted"],
                is_forge_ready=forge["status"] == "ready",
                job=running and str(running["job_id"]),
                waiting=int(queue["waiting"]),
                pause=_pause(queue),
                told=told,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise NavigatorAway("Navigator's status cannot be understood.") from error

    async def pause_queue(self, *, minutes: float | None) -> Pause:
        """Starts no more jobs, for this long at most; None: until it is resumed."""
        body = {} if minutes is None else {"minutes": minutes}
        return _pause(await self.ask("POST", "/api/admin/queue/pause", body))

    async def resume_queue(self) -> None:
        """Starts jobs again."""
        await self.ask("POST", "/api/admin/queue/resume", {})

    async def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """What Navigator answers to the launcher's token; what it refuses is `NavigatorRefuses`."""
        if self._endpoint is None:
            raise NavigatorAway("Navigator does not run.")
        headers = {"Authorization": self._token}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._session.request(
                    method,
                    f"{self._endpoint.url}{path}",
                    json=body,
                    headers=headers,
                    allow_redirects=False,
                ) as answer,
            ):
                content = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NavigatorAway("Navigator does not answer.") from error
        try:
            told = json.loads(content)
        except ValueError:
            told = None
        if answer.status in _REFUSALS and isinstance(told, dict) and told.get("error"):
            raise NavigatorRefuses(str(told["error"]))
        if answer.status not in _GOOD or not isinstance(told, dict):
            raise NavigatorAway(f"Navigator answered {answer.status}.")
        return told


def _pause(told: dict[str, Any]) -> Pause:
    return Pause(bool(told.get("paused")), told.get("paused_at"), told.get("resumes_at"))


def _read(file: Path, started: int) -> Endpoint | None:
    """What the file says of the process that was started, or of one that it started."""
    try:
        told = json.loads(file.read_text("utf-8"))
        found = Endpoint(str(told["url"]), int(told["pid"]))
        # In a virtual environment on Windows, python.exe starts the interpreter as its child.
        is_ours = found.pid == started or started in (
            parent.pid for parent in psutil.Process(found.pid).parents()
        )
    except (OSError, ValueError, TypeError, KeyError, psutil.Error):
        return None
    return found if is_ours else None
