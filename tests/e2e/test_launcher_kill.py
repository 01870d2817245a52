"""The promise of the launcher: kill it, Navigator or Forge whenever you like, and all comes back.

No process is left, no job is lost, no picture is there twice.
"""

import asyncio
import contextlib
import os
import random
import signal
from pathlib import Path

import aiohttp
import pytest

from app.database.connection import opened
from app.generation.models import Image
from app.jobs.models import Job, JobStatus
from app.setting_types import DatabaseLocation
from app.tasks import running
from tests.databases import MODEL_MODULES
from tests.fakes.forge_install import FakeForge
from tests.launcher.children import lives
from tests.launcher.launching import LIMIT_S, launcher, nothing_left, server_file, told
from tests.processes import SUPERUSER_TOKEN, Child, submit
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.posix]

KILLS = 20  # of each
STARTED = 0.8  # how many of them once the victim works; others while it starts
LATEST_S = 0.4
DRAIN_LIMIT_S = 120.0
HEADERS = {"Authorization": SUPERUSER_TOKEN}


class Friend:
    """Posts a job now and then, whether somebody listens or not."""

    def __init__(self, http: aiohttp.ClientSession, data_dir: Path, chance: random.Random):
        self.accepted: list[str] = []
        self._http = http
        self._data_dir = data_dir
        self._chance = chance

    async def submit(self) -> str:
        """Posts one to whichever Navigator listens now."""
        url = server_file(self._data_dir).get("url")
        if url is None:
            raise aiohttp.ClientConnectionError("nobody listens")
        self.accepted.append(await submit(self._http, url, steps=self._chance.randint(1, 12)))
        return self.accepted[-1]

    async def submit_for_ever(self) -> None:
        while True:
            with contextlib.suppress(aiohttp.ClientError, AssertionError):
                await self.submit()
            await asyncio.sleep(self._chance.uniform(0.05, 0.3))

    async def has_picture(self, job_id: str) -> bool:
        """Whether the job has come to its end."""
        url = server_file(self._data_dir).get("url")
        with contextlib.suppress(aiohttp.ClientError):
            async with self._http.get(f"{url}/api/images/{job_id}") as answer:
                return answer.status == 200
        return False


async def test_whatever_is_killed_comes_back_and_every_job_gets_one_picture(
    tmp_path: Path, unused_port: int
) -> None:
    seed = int(os.environ.get("NAVIGATOR_KILL_SEED", random.randrange(10**9)))
    print(f"NAVIGATOR_KILL_SEED={seed}")
    chance = random.Random(seed)
    data_dir = tmp_path / "data"
    forge = FakeForge(tmp_path / "forge", f"--port {unused_port}")
    victims = ["launcher", "navigator", "forge"] * KILLS
    chance.shuffle(victims)
    hits = dict.fromkeys(victims, 0)

    def next_launcher() -> contextlib.AbstractContextManager[Child]:
        return launcher(
            data_dir,
            f"--forge-dir={forge.root}",
            RESTART_LIMIT="0",
            MAX_QUEUED_JOBS_PER_USER="100000",
            JOB_PROGRESS_CHECK_INTERVAL="50",
        )

    async with (
        nothing_left(data_dir, forge),
        aiohttp.ClientSession(headers=HEADERS) as http,
    ):
        friend = Friend(http, data_dir, chance)
        with contextlib.ExitStack() as stack:
            running_launcher = stack.enter_context(next_launcher())
            async with running(friend.submit_for_ever()):
                for victim in victims:
                    if chance.random() < STARTED:
                        await until(lambda victim=victim: _lives(victim, data_dir, forge), LIMIT_S)  # type: ignore[misc]
                    await asyncio.sleep(chance.uniform(0, LATEST_S))
                    hits[victim] += _kill(victim, running_launcher, data_dir, forge)
                    if victim == "launcher":
                        stack.close()
                        running_launcher = stack.enter_context(next_launcher())
                    elif victim == "forge":
                        # No job is to meet three of these: one has to come through in between.
                        await until(lambda: _is_alone(forge), LIMIT_S)
                        last = friend.accepted[-1] if friend.accepted else await _first(friend)
                        await until(lambda last=last: friend.has_picture(last), DRAIN_LIMIT_S)  # type: ignore[misc]
                    assert not running_launcher.has_ended, running_launcher.errors
            last = await _first(friend)
            await until(lambda: friend.has_picture(last), DRAIN_LIMIT_S)
            stopped = await told(data_dir, "stop")
            assert stopped.code == 0, stopped.errors
            assert (await running_launcher.ended()).code == 0
    print(f"{len(friend.accepted)} accepted; killed while they lived: {hits}")
    assert min(hits.values()) > KILLS // 2
    location = DatabaseLocation("sqlite", path=data_dir / "navigator.sqlite3")
    async with opened(location, MODEL_MODULES):
        jobs = await Job.all().order_by("position")
        images = [image.id async for image in Image.all()]
    assert {job.status for job in jobs} == {JobStatus.SUCCEEDED}
    ids = {job.id for job in jobs}
    assert set(friend.accepted) <= ids
    assert len(images) == len(set(images))
    assert set(images) == ids
    assert any(job.attempts for job in jobs), "no kill of Forge hit a running job"
    assert any(job.runs > 1 for job in jobs)


def _pid(victim: str, data_dir: Path, forge: FakeForge) -> int | None:
    if victim == "navigator":
        return server_file(data_dir).get("pid")
    return forge.starts[-1]["pid"] if forge.starts else None


def _lives(victim: str, data_dir: Path, forge: FakeForge) -> bool:
    pid = _pid(victim, data_dir, forge)
    return victim == "launcher" or (pid is not None and lives(pid))


def _kill(victim: str, running_launcher: Child, data_dir: Path, forge: FakeForge) -> bool:
    """Whether it was there to be killed."""
    if victim == "launcher":
        running_launcher.kill()
        return True
    pid = _pid(victim, data_dir, forge)
    if pid is None or not lives(pid):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True


def _is_alone(forge: FakeForge) -> bool:
    """Whether exactly one of all that were started lives."""
    return sum(lives(start["pid"]) for start in forge.starts) == 1


async def _first(friend: Friend) -> str:
    """The id of the next job that is accepted."""
    accepted: list[str] = []

    async def submit_one() -> bool:
        with contextlib.suppress(aiohttp.ClientError, AssertionError):
            accepted.append(await friend.submit())
        return bool(accepted)

    await until(submit_one, LIMIT_S)
    return accepted[0]
