"""Tests of `app/bootstrap.py`: a Navigator that answers and does nothing else."""

import asyncio
from pathlib import Path

import orjson

from app.accounts.caller import COMMAND_LINE_ID
from app.bootstrap import navigator
from app.cli.in_process import request
from app.jobs.models import Job, JobStatus
from app.settings import Settings
from app.simulator import Simulator
from tests.running import CHECKPOINT, INSTANT, JOB_PATH, SUPERUSER_TOKEN, catalogue

URL = "http://localhost:3333"


async def test_it_answers_and_leaves_jobs_and_forge_alone(tmp_path: Path) -> None:
    async with Simulator(INSTANT, catalogue()).serving() as forge:
        environ = {
            "SD_API_HOST": f"{forge.url}/sdapi/v1",
            "SUPERUSER_ADMIN_TOKEN": SUPERUSER_TOKEN,
        }
        settings = Settings.load(environ, data_dir=tmp_path, working_dir=tmp_path)
        programs = {"key": COMMAND_LINE_ID}
        async with navigator(settings, programs=programs, working=False) as ours:
            before = asyncio.all_tasks()
            status, content = await request(
                ours.asgi,
                "GET",
                f"{URL}/api/admin/users",
                headers=[("Authorization", "key")],
            )
            assert (status, orjson.loads(content)["users"]) == (200, [])
            body = {"model_name": CHECKPOINT, "prompt": "a fox", "width": 64, "height": 64}
            headers = [("Authorization", SUPERUSER_TOKEN), ("Content-Type", "application/json")]
            status, content = await request(
                ours.asgi, "POST", URL + JOB_PATH, headers=headers, body=orjson.dumps(body)
            )
            assert status == 200, content
            assert asyncio.all_tasks() == before
        async with navigator(settings, working=False):
            assert (await Job.get()).status == JobStatus.QUEUED
        assert not forge.requests
