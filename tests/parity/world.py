"""A running Navigator with the people, categories and pictures that the recordings speak of."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from tortoise.backends.base.executor import EXECUTOR_CACHE

from app.accounts.roles import Role
from app.accounts.throttle import Throttle
from app.database.connection import opened
from app.database.migration import migrate
from app.jobs.models import Job, JobStatus
from app.library.models import KnownCheckpoint
from app.setting_types import DatabaseLocation
from app.simulator import Fault, Simulator, SimulatorOptions
from tests.databases import MODEL_MODULES
from tests.listening import JsonObject, Listener
from tests.running import (
    CHECKPOINT,
    JOB_PATH,
    SECRET_KEY,
    SUPERUSER_TOKEN,
    RunningNavigator,
    running_navigator,
)
from tests.waiting import until

# 50 steps, as many as a request without `steps` has, take a fifth of a second: time for previews.
QUICK = SimulatorOptions(step_time_s=0.004, checkpoint_load_time_s=0, draw=False)
# Who stages things; in no recording.
_OPERATOR = "900000000000000009"
_PEOPLE = {
    _OPERATOR: Role.APEX,
    "100000000000000001": Role.APEX,
    "100000000000000002": Role.APPRENTICE,
    "100000000000000003": Role.NONE,
}
_UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass
class World:
    """`heard` is a socket at the address that the requests come from."""

    server: RunningNavigator
    heard: Listener
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def forge(self) -> Simulator:
        """The simulator behind Navigator."""
        assert self.server.forge is not None
        return self.server.forge

    def headers(self, by: str | None) -> dict[str, str]:
        """What somebody sends to say who they are; a whole header is taken as it is."""
        if by is None:
            return {}
        if by == "superuser":
            return {"Authorization": SUPERUSER_TOKEN}
        return {"Authorization": f"Bearer {self.tokens[by]}" if by in self.tokens else by}

    async def post(self, path: str, body: object, by: str) -> JsonObject:
        """Posts JSON that must be accepted; gives the answer."""
        answer = await self.server.post(path, body, headers=self.headers(by))
        assert answer.status == 200, answer.content
        found: JsonObject = answer.json
        return found

    async def submit(self, by: str, **parameters: object) -> str:
        """Queues a picture; gives its job's id."""
        body = {"model_name": CHECKPOINT, "prompt": "a lighthouse", "steps": 1} | parameters
        return str((await self.post(JOB_PATH, body, by))["job_id"])

    async def picture(self, image_id: str, by: str, **parameters: object) -> None:
        """Makes a finished picture of this id, unless there is one."""
        if not await Job.exists(id=image_id):
            await self.submit(by, job_id=image_id, **parameters)
        await self.server.finished(image_id)

    async def load(self, checkpoint: str, modules: object = None) -> None:
        """Has Forge load these, as a job does."""
        await self.server.finished(
            await self.submit(_OPERATOR, model_name=checkpoint, modules=modules)
        )

    async def running(self, by: str, **parameters: object) -> str:
        """A job that Forge samples: the id."""
        job_id = await self.submit(by, steps=150, **parameters)
        await self.heard.event("task-progress", job_id)
        return job_id

    async def lists_fail(self, fault: Fault) -> None:
        """Makes Forge fail at one of its lists, and returns when Navigator has noticed."""
        self.forge.inject(fault)
        health = self.server.navigator.health
        health.report_trouble("the lists are to be read again")
        await until(lambda: not health.is_ready)

    async def settle(self) -> None:
        """Ends what still runs or waits, and lets Forge be well again."""
        for job in await Job.filter(status__in=_UNFINISHED):
            path = f"/api/queue/interrupt/{job.id}"
            await self.server.post(path, headers=self.headers(_OPERATOR))
        await until(self._is_idle, timeout_s=20)
        if self.server.forge is not None:
            await self.server.navigator.health.wait_ready()

    async def _is_idle(self) -> bool:
        if self.server.forge is not None:
            self.forge.clear_faults()  # each time: a run may have met its fault just now
        return not await Job.exists(status__in=_UNFINISHED)

    async def _settle_in(self) -> None:
        for user_id, role in _PEOPLE.items():
            self.tokens[user_id] = await self.server.add_user(user_id, role)
        claims = {"discord_id": "100000000000000004", "role": 4}
        self.tokens["100000000000000004"] = jwt.encode(claims, SECRET_KEY, algorithm="HS256")
        if self.server.settings.enable_demo_user:
            self.tokens["demo_user"] = await self.server.login()


async def _name_checkpoint(data_dir: Path) -> None:
    """Before the start: what was read then is remembered for seconds."""
    location = DatabaseLocation("sqlite", path=data_dir / "navigator.sqlite3")
    data_dir.mkdir()
    await migrate(location, MODEL_MODULES, backups_dir=data_dir / "backups")
    async with opened(location, MODEL_MODULES):
        await KnownCheckpoint.create(model_name=CHECKPOINT, friendly_name="Dream Model")


@contextlib.asynccontextmanager
async def world(
    folder: Path,
    forge: SimulatorOptions | str = QUICK,
    **settings: Any,
) -> AsyncIterator[World]:
    """A Navigator in which nobody has made anything yet. The owner has named one checkpoint."""
    EXECUTOR_CACHE.clear()  # as for each test: this one is opened before them
    await _name_checkpoint(folder / "data")
    async with (
        running_navigator(
            folder,
            forge=forge,
            login_throttle=Throttle(burst=1000, interval_s=1),
            **settings,
        ) as server,
        server.listening() as heard,
    ):
        made = World(server, heard)
        await made._settle_in()
        yield made
