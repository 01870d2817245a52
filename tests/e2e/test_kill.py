"""The promise of the queue: kill Navigator whenever you like, every accepted job gets its picture.

Real child processes, killed with SIGKILL at random moments, in front of a Forge that lives on.
"""

import asyncio
import contextlib
import hashlib
import os
import random
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from app.database.connection import opened
from app.generation.images import described
from app.generation.models import Image
from app.jobs.models import Job, JobStatus
from app.setting_types import DatabaseLocation
from app.simulator import Simulator, SimulatorOptions
from app.tasks import running
from tests.databases import MODEL_MODULES, url_of
from tests.processes import Child, serve, submit
from tests.waiting import until

pytestmark = pytest.mark.slow

KILLS = {"sqlite": 30, "mysql": 8}
EARLIEST_S, LATEST_S = 0.01, 1.0
# On average less than a picture takes, so that there is nearly always a queue.
LONGEST_PAUSE_S = 0.08
SAVING_S = 0.015
DRAIN_LIMIT_S = 60.0

# Small steps and a file of some size: then saving it takes a fair part of a job's time.
FORGE = SimulatorOptions(
    step_time_s=0.01, checkpoint_load_time_s=0, draw=False, png_padding_bytes=1_000_000
)


class Submitter:
    """A client that keeps posting jobs, whether somebody listens or not."""

    def __init__(self, http: aiohttp.ClientSession, chance: random.Random):
        self.accepted: list[str] = []
        self.server: Child | None = None
        self._http = http
        self._chance = chance

    async def submit(self) -> str:
        """Posts one job to whichever process listens now."""
        url = self.server.url if self.server is not None else None
        if url is None:
            raise aiohttp.ClientConnectionError("nobody listens")
        self.accepted.append(await submit(self._http, url, steps=self._chance.randint(1, 6)))
        return self.accepted[-1]

    async def submit_for_ever(self) -> None:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                await self.submit()
            await asyncio.sleep(self._chance.uniform(0, LONGEST_PAUSE_S))


async def test_every_accepted_job_is_finished_exactly_once(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> None:
    seed = int(os.environ.get("NAVIGATOR_KILL_SEED", random.randrange(10**9)))
    print(f"NAVIGATOR_KILL_SEED={seed}")
    chance = random.Random(seed)
    data_dir = tmp_path / "data"

    def next_server() -> contextlib.AbstractContextManager[Child]:
        return serve(
            data_dir,
            forge_url=forge.url,
            DB_URL=url_of(new_database_location),
            MAX_QUEUED_JOBS_PER_USER="100000",
            JOB_PROGRESS_CHECK_INTERVAL="50",
        )

    forge = Simulator(FORGE)
    answered = asyncio.Event()

    async def note(request: web.Request, _response: web.StreamResponse) -> None:
        if request.path == "/sdapi/v1/txt2img":
            answered.set()

    async def next_answer() -> None:
        answered.clear()
        async with asyncio.timeout(DRAIN_LIMIT_S):
            await answered.wait()

    forge.app.on_response_prepare.append(note)
    async with forge.serving(), aiohttp.ClientSession() as http:
        submitter = Submitter(http, chance)
        async with running(submitter.submit_for_ever()):
            for kill in range(KILLS[new_database_location.dialect]):
                with next_server() as submitter.server:
                    # In turn: counted from its start, from when it listens, and from an answer
                    # of Forge, when a picture is saved and committed.
                    if kill % 3:
                        await submitter.server.listening()
                    await asyncio.sleep(chance.uniform(EARLIEST_S, LATEST_S))
                    if kill % 3 == 2:
                        await next_answer()
                        await asyncio.sleep(chance.uniform(0, SAVING_S))
                    assert not submitter.server.has_ended, submitter.server.errors
                    submitter.server.kill()
                check_files_are_whole(data_dir / "images")
        with next_server() as submitter.server:
            url = await submitter.server.listening()
            # All others stand before it, also those whose POST got no answer.
            await submitter.submit()
            await until(lambda: has_pictures(http, url, submitter.accepted), DRAIN_LIMIT_S)
            ended, _ = await submitter.server.stop()
            assert ended.code == 0, ended.errors
    async with opened(new_database_location, MODEL_MODULES):
        jobs = await Job.all().order_by("position")
        images = {image.id: image async for image in Image.all()}
    print(f"{len(submitter.accepted)} accepted, {len(jobs)} rows, {sum(j.runs for j in jobs)} runs")
    assert {job.status for job in jobs} == {JobStatus.SUCCEEDED}
    assert {job.attempts for job in jobs} == {0}, "our own death counted as an attempt"
    assert any(job.runs > 1 for job in jobs), "no kill hit a running job"
    check_order(jobs, submitter.accepted, forge)
    assert images.keys() == {job.id for job in jobs}
    check_files(data_dir / "images", list(images.values()))


def check_order(jobs: list[Job], accepted: list[str], forge: Simulator) -> None:
    """Jobs stand in the order of their acceptance, and were begun in that order."""
    order = [job.id for job in jobs]
    assert [job_id for job_id in order if job_id in set(accepted)] == accepted
    assert len(set(accepted)) == len(accepted)
    started = [job.started_at for job in jobs if job.started_at is not None]
    assert started == sorted(started)
    assert len(started) == len(jobs)
    arrived: dict[str, None] = {}
    for request in forge.requests:
        assert isinstance(request.body, dict)
        _, job_id, *_ = request.body["force_task_id"].split("-")
        arrived.setdefault(job_id)
    assert list(arrived) == order


def check_files(folder: Path, images: list[Image]) -> None:
    """There is exactly one file for each row, and it holds what the row says."""
    for image in images:
        content = (folder / image.file_name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == image.sha256
        assert len(content) == image.size_bytes
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {image.file_name for image in images}


def check_files_are_whole(folder: Path) -> None:
    """Whatever has the name of a picture is a whole picture, also right after a kill."""
    for path in folder.rglob("*.png"):
        described(path.read_bytes())


async def has_pictures(http: aiohttp.ClientSession, url: str, job_ids: list[str]) -> bool:
    """Whether each of them can be fetched. The newest first, as it is the last to come."""
    for job_id in reversed(job_ids):
        async with http.head(f"{url}/api/images/{job_id}") as response:
            if response.status != 200:
                return False
    return True
