"""A whole Navigator inside the test's event loop, and clients of it over real sockets.

What answers is everything that `navigator serve` runs, on free ports, with a simulated Forge.
"""

import asyncio
import contextlib
import io
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import yarl

from app.accounts.caller import DEMO_USER_ID
from app.accounts.models import User
from app.accounts.providers import DEMO_TOKEN_LIFETIME_S
from app.accounts.roles import Approval, Role
from app.accounts.throttle import Throttle
from app.accounts.tokens import Tokens
from app.bootstrap import Navigator, navigator
from app.jobs.models import Job, JobStatus
from app.setting_types import DatabaseLocation
from app.settings import Settings
from app.simulator import Simulator, SimulatorOptions
from app.simulator.catalogue import Checkpoint, Module
from app.simulator.loader import Catalogue
from app.web.server import listen, serve
from tests.contract import Exchange
from tests.databases import url_of
from tests.documented import Documentation
from tests.listening import Listener, listening
from tests.templates import copy_to_sqlite
from tests.waiting import LIMIT_S, until

SECRET_KEY = "the secret key of all of the tests"
SUPERUSER_TOKEN = "the superuser token of all tests"
CHECKPOINT = "dreamModel_v1"
OTHER_CHECKPOINT = "paintModel_v2"
INSTANT = SimulatorOptions(step_time_s=0, checkpoint_load_time_s=0, draw=False)
# 50 steps, as many as a request without `steps` has, take half a second.
SLOW = SimulatorOptions(step_time_s=0.01, checkpoint_load_time_s=0, draw=False)
JOB_PATH = "/api/queue/user/txt2img"
# Nobody listens there: no test reaches CivitAI.
NO_CIVITAI = "http://127.0.0.1:9/api/v1"

JsonObject = dict[str, Any]
_DOCUMENTATION: list[Documentation] = []


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return orjson.loads(self.content)


@dataclass
class RunningNavigator:
    """A served Navigator. `forge` is the simulator behind it, None when nothing is there."""

    url: str
    realtime_url: str
    settings: Settings
    navigator: Navigator
    forge: Simulator | None
    http: aiohttp.ClientSession
    stopped: asyncio.Event
    serving: asyncio.Task[None]

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        realtime: bool = False,
        **options: Any,
    ) -> Answer:
        """Sends one request; `path` goes out as it is written here.

        The answer must be one that the API's own description allows.
        """
        sent = dict(headers or {})
        if isinstance(options.get("data"), bytes):
            options["data"] = io.BytesIO(options["data"])
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        url = yarl.URL((self.realtime_url if realtime else self.url) + path, encoded=True)
        async with self.http.request(
            method, url, headers=sent, allow_redirects=False, **options
        ) as response:
            answer = Answer(response.status, response.headers, await response.read())
        if not realtime:
            (await self.documentation()).check(method, path, answer)
        return answer

    async def documentation(self) -> Documentation:
        """What `/openapi.json` says; the same for every Navigator of a test run."""
        if not _DOCUMENTATION:
            async with self.http.get(f"{self.url}/openapi.json") as response:
                _DOCUMENTATION.append(Documentation(orjson.loads(await response.read())))
        return _DOCUMENTATION[0]

    async def get(self, path: str, **options: Any) -> Answer:
        """GET `path`."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, body: object = None, **options: Any) -> Answer:
        """POST `body` as JSON, nothing if it is None."""
        if body is not None:
            options["data"] = (
                # The standard library's also writes what ours refuses.
                body if isinstance(body, bytes) else json.dumps(body).encode()
            )
            options["headers"] = {"Content-Type": "application/json"} | options.get("headers", {})
        return await self.request("POST", path, **options)

    async def replay(
        self, recorded: Exchange, *, token: str | None = None, path: str = "", **options: Any
    ) -> Answer:
        """Sends a recorded request again, to `path` if ids differ."""
        content_type = recorded.headers.get("Content-Type")
        if recorded.body is not None:
            is_text = isinstance(recorded.body, str)
            options["data"] = (
                recorded.body.encode() if is_text else json.dumps(recorded.body).encode()
            )
        headers = {"Content-Type": content_type} if content_type else {}
        headers |= options.pop("headers", {})
        return await self.request(
            recorded.method, path or recorded.path, token=token, headers=headers, **options
        )

    async def login(self) -> str:
        """A token of the demo user's, as a login gives it; logins themselves are throttled."""
        tokens = Tokens(self.settings.secret_key, None)
        user = await User.get(id=DEMO_USER_ID)
        return tokens.issue(user, lifetime_s=DEMO_TOKEN_LIFETIME_S)

    async def add_user(
        self,
        user_id: str,
        role: Role = Role.APPRENTICE,
        approval: Approval = Approval.APPROVED,
        *,
        lifetime_s: float | None = 3600,
    ) -> str:
        """Creates a user; gives a token of theirs."""
        user = await User.create(id=user_id, name=user_id, role=role, approval=approval)
        return Tokens(self.settings.secret_key, None).issue(user, lifetime_s=lifetime_s)

    async def submit(self, token: str, **parameters: Any) -> JsonObject:
        """Posts a small job that must be accepted; gives the answer."""
        headers = parameters.pop("headers", {})
        body = {"model_name": CHECKPOINT, "prompt": "a fox", "width": 64, "height": 64}
        answer = await self.post(JOB_PATH, body | parameters, token=token, headers=headers)
        assert answer.status == 200, answer.content
        accepted: JsonObject = answer.json
        return accepted

    async def finished(self, job_id: str) -> None:
        """Returns when the job has ended well."""
        await self.reached(job_id, JobStatus.SUCCEEDED)

    async def reached(self, job_id: str, status: JobStatus, timeout_s: float = LIMIT_S) -> None:
        """Returns when the job has this status."""
        await until(lambda: Job.exists(id=job_id, status=status), timeout_s)

    async def picture(self, token: str, **parameters: Any) -> str:
        """Makes a picture; gives its id."""
        job_id = str((await self.submit(token, **parameters))["job_id"])
        await self.finished(job_id)
        return job_id

    def listening(
        self, token: object = None, *, realtime: bool = False, **options: Any
    ) -> contextlib.AbstractAsyncContextManager[Listener]:
        """A socket.io client of either port; see `tests.listening.listening`."""
        return listening(self.realtime_url if realtime else self.url, token, **options)

    @contextlib.asynccontextmanager
    async def forge_at(
        self, port: int, options: SimulatorOptions = INSTANT
    ) -> AsyncIterator[Simulator]:
        """A Forge that appears at a port where there was none."""
        async with Simulator(options, catalogue()).serving(port=port) as simulator:
            await self.navigator.health.wait_ready()
            yield simulator

    async def stop(self) -> float:
        """Ends serving as a signal would; gives the seconds that it took."""
        began_s = time.monotonic()
        self.stopped.set()
        await self.serving
        return time.monotonic() - began_s


@contextlib.asynccontextmanager
async def running_navigator(
    folder: Path,
    *,
    database: DatabaseLocation | None = None,
    forge: SimulatorOptions | str = INSTANT,
    installed: Catalogue | None = None,
    wait_for_forge: bool = True,
    login_throttle: Throttle | None = None,
    programs: Mapping[str, str] | None = None,
    **settings: str,
) -> AsyncIterator[RunningNavigator]:
    """A Navigator that keeps its things in `folder`.

    `forge` is how a simulator is started for it, or the address where one will or will not be;
    `installed` are the simulator's models.
    Without a `login_throttle` it has the one of life.
    """
    async with contextlib.AsyncExitStack() as stack:
        simulator = None
        if isinstance(forge, SimulatorOptions):
            simulator = await stack.enter_async_context(
                Simulator(forge, installed or catalogue()).serving()
            )
        environ = {
            "SD_API_HOST": f"{simulator.url if simulator else forge}/sdapi/v1",
            "SECRET_KEY": SECRET_KEY,
            "SUPERUSER_ADMIN_TOKEN": SUPERUSER_TOKEN,
            "ENABLE_DEMO_USER": "true",
            "JOB_PROGRESS_CHECK_INTERVAL": "50",
            "CIVITAI_API_BASE": NO_CIVITAI,
        }
        if database is not None:
            environ["DB_URL"] = url_of(database)
        read = Settings.load(environ | settings, data_dir=folder / "data", working_dir=folder)
        if database is None and read.database.path is not None and not read.database.path.exists():
            await copy_to_sqlite(read.database.path)
        ours = await stack.enter_async_context(
            navigator(read, programs=programs, login_throttle=login_throttle)
        )
        sockets = [
            listen("127.0.0.1", 0, setting=name) for name in ("HTTP_API_PORT", "RT_API_PORT")
        ]
        urls = [f"http://127.0.0.1:{taken.getsockname()[1]}" for taken in sockets]
        http = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        stopped = asyncio.Event()
        serving = asyncio.create_task(
            serve(ours.asgi, ours.realtime, sockets, stopped, on_stopping=ours.stop_waiting)
        )
        running = RunningNavigator(urls[0], urls[1], read, ours, simulator, http, stopped, serving)
        try:
            if simulator is not None and wait_for_forge:
                await ours.health.wait_ready()
            yield running
        finally:
            await running.stop()


def catalogue() -> Catalogue:
    """The files of the Forge behind the recorded Navigator."""
    return Catalogue(
        checkpoints=[
            Checkpoint(f"{name}.safetensors", hashed=True)
            for name in (CHECKPOINT, OTHER_CHECKPOINT, "fluxModel_dev")
        ],
        modules=[Module("ae.safetensors"), Module("clip_l.safetensors", "text_encoder")],
    )
