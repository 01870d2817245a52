"""Tests of one run at Forge: what earlier runs left behind, and whose progress is told."""

import asyncio
from dataclasses import replace

import pytest

from app.clients.forge import ForgeClient
from app.clients.forge_health import ForgeHealth
from app.errors import UpstreamUnavailable
from app.events import EventBus, JobProgressed
from app.generation.forge_run import ForgeRuns, GenerationLimits, JobCancelled, task_id_of
from app.generation.previews import Previews
from app.jobs.models import Job
from tests.app.generation.drawing import drawing, forge_with
from tests.building import CHECKPOINT, WORKING, make_job, make_queue
from tests.waiting import until

LIMITS = GenerationLimits(0.02, stall_s=60, load_s=60)


async def nothing() -> None:
    """What there is to do when Forge becomes ready."""


def make_runs(
    forge: ForgeClient, events: EventBus | None = None, *, settle_s: float = 60.0
) -> tuple[ForgeRuns, ForgeHealth]:
    health = ForgeHealth(forge, on_ready=nothing)
    bus = events or EventBus()
    return ForgeRuns(forge, health, bus, Previews(), LIMITS, settle_s=settle_s), health


@pytest.fixture
async def job(owner: object) -> Job:
    """A job that was started twice."""
    job = await make_job(make_queue())
    job.runs = 2
    return job


async def is_idle(forge: ForgeClient) -> bool:
    return (await forge.progress()).job_count == 0


async def test_earlier_run_that_forge_still_draws_is_stopped_first(job: Job) -> None:
    async with forge_with(WORKING) as (forge, simulator), drawing(forge, task_id_of(job, 1)):
        await until(lambda: simulator.active_task is not None)
        runs, _ = make_runs(forge)
        await runs.settle_earlier(job, asyncio.Event())
        assert simulator.interrupts
        assert await is_idle(forge)


async def test_checkpoint_that_loads_for_an_earlier_run_is_waited_for(job: Job) -> None:
    """However long it takes: interrupting has no effect meanwhile."""
    options = replace(WORKING, checkpoint_load_time_s=1.5)
    async with forge_with(options) as (forge, simulator), drawing(forge, task_id_of(job, 1)):
        await until(lambda: simulator.active_task is not None)
        runs, health = make_runs(forge, settle_s=0.4)
        await runs.settle_earlier(job, asyncio.Event())
        assert await is_idle(forge)
        assert health.restart_wanted is None


async def test_forge_that_does_not_stop_wants_a_restart_and_counts_no_attempt(job: Job) -> None:
    slow = replace(WORKING, step_time_s=30.0)
    async with forge_with(slow) as (forge, simulator), drawing(forge, task_id_of(job, 1)):
        await until(lambda: simulator.loaded_checkpoint is not None)
        runs, health = make_runs(forge, settle_s=0.1)
        with pytest.raises(UpstreamUnavailable):
            await runs.settle_earlier(job, asyncio.Event())
        assert health.restart_wanted is not None


async def test_job_cancelled_while_an_earlier_run_is_stopped_does_not_run(job: Job) -> None:
    slow = replace(WORKING, step_time_s=30.0)
    async with forge_with(slow) as (forge, simulator), drawing(forge, task_id_of(job, 1)):
        await until(lambda: simulator.active_task is not None)
        cancelled = asyncio.Event()
        cancelled.set()
        with pytest.raises(JobCancelled):
            await make_runs(forge)[0].settle_earlier(job, cancelled)


async def test_without_the_page_what_ran_before_is_neither_told_as_ours_nor_stopped(
    job: Job,
) -> None:
    events = EventBus()
    options = replace(WORKING, ui=False, step_time_s=0.02)
    async with (
        events.subscribed() as heard,
        forge_with(options) as (forge, simulator),
        drawing(forge, "somebody-elses", steps=75),
    ):
        await until(lambda: _samples(forge))
        runs, _ = make_runs(forge, events)
        cancelled = asyncio.Event()
        generating = asyncio.create_task(
            runs.generate(job, lambda: forge.txt2img(_payload(job)), cancelled)
        )
        await until(lambda: simulator.calls["POST /sdapi/v1/txt2img"] == 2)
        cancelled.set()
        await generating
        assert set(simulator.interrupted_tasks) == {task_id_of(job, job.runs)}
        while not heard.empty():
            event = heard.get_nowait()
            assert isinstance(event, JobProgressed)
            assert event.steps == 40


async def _samples(forge: ForgeClient) -> bool:
    return (await forge.progress()).step > 0


def _payload(job: Job) -> dict[str, object]:
    return {
        "steps": 40,
        "width": 64,
        "height": 64,
        "override_settings": {"sd_model_checkpoint": CHECKPOINT},
        "force_task_id": task_id_of(job, job.runs),
    }
