"""Tests of `app/cli/client.py` against a real server in a process of its own."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from app.accounts.caller import DEMO_CODE
from app.cli.client import ClientFailed, NavigatorClient
from app.generation.images import described
from app.simulator import Fault, Simulator, SimulatorOptions
from tests.processes import serve, submit
from tests.waiting import until


@dataclass(frozen=True)
class Served:
    """A server with the demo user, and its Forge."""

    url: str
    forge: Simulator


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A running server that knows Forge's checkpoints."""
    options = SimulatorOptions(step_time_s=0.01, checkpoint_load_time_s=0, draw=False)
    async with Simulator(options).serving() as forge, aiohttp.ClientSession() as http:
        with serve(
            tmp_path, forge_url=forge.url, ENABLE_DEMO_USER="true", JOB_PROGRESS_CHECK_INTERVAL="50"
        ) as started:
            url = await started.listening()
            await until(lambda: has_checkpoints(http, url))
            yield Served(url, forge)


async def has_checkpoints(http: aiohttp.ClientSession, url: str) -> bool:
    """Whether the server has read Forge's lists."""
    async with http.get(f"{url}/api/models") as response:
        return response.status == 200 and bool((await response.json())["models"])


async def test_client_follows_a_job_to_its_picture(served: Served) -> None:
    async with NavigatorClient.logged_in(served.url, DEMO_CODE) as client:
        job_id = await client.generate("a fox", steps=30, width=128, height=64)
        events = [event async for event in client.events(job_id)]
        assert events[0][0] == "task-started"
        assert "task-progress" in [name for name, _ in events]
        name, payload = events[-1]
        assert name == "task-finished"
        assert described(await client.image(payload["img_path"])) == ("image/png", 128, 64)


async def test_events_of_other_jobs_are_left_out(served: Served) -> None:
    async with (
        aiohttp.ClientSession() as http,
        NavigatorClient.logged_in(served.url, DEMO_CODE) as client,
    ):
        job_ids = [await client.generate("a fox", steps=1, width=64, height=64)]
        await submit(http, served.url)
        job_ids.append(await client.generate("an owl", steps=1, width=64, height=64))
        seen = [
            (job_id, payload["job_id"])
            for job_id in job_ids
            async for _, payload in client.events(job_id)
        ]
    assert all(wanted == came for wanted, came in seen)
    assert {came for _, came in seen} == set(job_ids)


async def test_failed_job_ends_the_events_with_its_reason(served: Served) -> None:
    served.forge.inject(Fault.out_of_memory(times=None))
    async with NavigatorClient.logged_in(served.url, DEMO_CODE) as client:
        job_id = await client.generate("a fox", steps=2, width=64, height=64)
        async with asyncio.timeout(20):
            events = [event async for event in client.events(job_id)]
    name, payload = events[-1]
    assert name == "task-failed"
    assert "memory" in payload["error"]


async def test_refusals_are_raised_with_their_sentence(served: Served) -> None:
    with pytest.raises(ClientFailed, match="Discord"):
        async with NavigatorClient.logged_in(served.url, "not a code"):
            pass
    async with NavigatorClient.logged_in(served.url, DEMO_CODE) as client:
        with pytest.raises(ClientFailed, match="steps"):
            await client.generate("a fox", steps=-1)
        with pytest.raises(ClientFailed, match="not found"):
            await client.image("/api/images/nothing")


async def test_client_leaves_ctrl_c_to_the_program(served: Served) -> None:
    before = signal.getsignal(signal.SIGINT)
    async with NavigatorClient.logged_in(served.url, DEMO_CODE):
        assert signal.getsignal(signal.SIGINT) is before
