"""Stopping Navigator in the middle of its work, and starting it again."""

import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import socketio

from app.database.connection import opened
from app.generation.models import Image
from app.jobs.models import Job, JobStatus
from app.setting_types import DatabaseLocation
from app.simulator import Simulator, SimulatorOptions
from tests.databases import MODEL_MODULES
from tests.processes import SUPERUSER_TOKEN, serve, submit
from tests.waiting import until

STOP_LIMIT_S = 4.0
PROMPT = "a secret garden"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stop_puts_the_running_job_back_and_the_next_start_finishes_it(
    number: signal.Signals, tmp_path: Path
) -> None:
    location = DatabaseLocation("sqlite", path=tmp_path / "navigator.sqlite3")
    options = SimulatorOptions(step_time_s=0.03, checkpoint_load_time_s=0)
    async with Simulator(options).serving() as forge, aiohttp.ClientSession() as http:
        with serve(tmp_path, forge_url=forge.url, JOB_PROGRESS_CHECK_INTERVAL="50") as first:
            url = await first.listening()
            async with connected(url, "websocket") as heard, connected(url, "polling") as polled:
                job_ids = [await submit(http, url, steps=40, prompt=PROMPT) for _ in range(3)]
                await until(lambda: "task-progress" in heard and "task-progress" in polled)
                assert forge.active_task == f"navigator-{job_ids[0]}"
                ended, took_s = await first.stop(number)
        assert ended.code == 0, ended.errors
        assert took_s < STOP_LIMIT_S
        assert "Traceback" not in ended.errors
        assert forge.interrupts == 1
        async with opened(location, MODEL_MODULES):
            jobs = await Job.all().order_by("position")
        assert [(job.id, job.status, job.attempts) for job in jobs] == [
            (job_id, JobStatus.QUEUED, 0) for job_id in job_ids
        ]

        with serve(tmp_path, forge_url=forge.url, JOB_PROGRESS_CHECK_INTERVAL="50") as second:
            url = await second.listening()
            await until(lambda: is_there(http, f"{url}/api/images/{job_ids[-1]}"), 20)
            ended, _ = await second.stop()
        assert ended.code == 0, ended.errors
        async with opened(location, MODEL_MODULES):
            jobs = await Job.all().order_by("position")
            images = await Image.all()
    assert [(job.status, job.runs) for job in jobs] == [
        (JobStatus.SUCCEEDED, 2),
        (JobStatus.SUCCEEDED, 1),
        (JobStatus.SUCCEEDED, 1),
    ]
    assert sorted(image.id for image in images) == sorted(job_ids)
    log = (tmp_path / "logs" / "navigator.log").read_text("utf-8")
    assert PROMPT not in log
    assert SUPERUSER_TOKEN not in log


async def test_stop_while_idle_is_quick_though_clients_stay_connected(tmp_path: Path) -> None:
    with serve(tmp_path) as started:
        url = await started.listening()
        async with connected(url, "websocket"), connected(url, "polling"):
            ended, took_s = await started.stop()
    assert ended.code == 0, ended.errors
    assert took_s < STOP_LIMIT_S
    assert "Traceback" not in ended.errors


async def test_stop_does_not_wait_for_a_database_that_does_not_answer(
    tmp_path: Path, unused_port: int
) -> None:
    with serve(tmp_path, DB_URL=f"mysql://root@127.0.0.1:{unused_port}/navigator") as started:
        await until(lambda: "data in" in started.errors, 20)
        ended, took_s = await started.stop()
    assert (ended.code, "Traceback" in ended.errors) == (0, False), ended.errors
    assert took_s < STOP_LIMIT_S


@contextlib.asynccontextmanager
async def connected(url: str, transport: str) -> AsyncIterator[list[str]]:
    """A socket.io client over this transport; gives the names of the events it has heard."""
    client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
    heard: list[str] = []

    async def note(name: str, _payload: object) -> None:
        heard.append(name)

    client.on("*", note)
    await client.connect(url, auth={"token": None}, transports=[transport])
    try:
        await until(lambda: "connected" in heard)
        yield heard
    finally:
        await client.disconnect()


async def is_there(http: aiohttp.ClientSession, url: str) -> bool:
    """Whether the address can be fetched."""
    async with http.head(url) as response:
        return response.status == 200
