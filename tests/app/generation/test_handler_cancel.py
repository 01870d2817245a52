"""Tests of stopping a txt2img job: the right one, at every moment, and no other. Both databases."""

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from app.accounts.models import User
from app.errors import NotFound
from app.generation.models import Image
from app.jobs.models import Job, JobStatus
from app.jobs.queue import Cancellation
from app.simulator import Fault, Simulator
from tests.building import (
    ON_SQLITE_ONLY,
    OWNER,
    WORKING,
    Workshop,
    make_catalogue,
    make_job,
    make_queue,
    workshop,
)
from tests.waiting import until

SLOW_TO_LOAD = replace(WORKING, checkpoint_load_time_s=1.5)
WITHOUT_PAGE = replace(WORKING, ui=False)


async def cancel(shop: Workshop, job: Job) -> Cancellation:
    return await shop.queue.cancel(job.id, caller_id=OWNER, is_administrator=False)


async def draw(simulator: Simulator, task_id: str, *, steps: int = 60) -> None:
    """Somebody else's picture."""
    payload = {"steps": steps, "width": 64, "height": 64, "force_task_id": task_id}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.url}/sdapi/v1/txt2img", json=payload) as response,
    ):
        assert response.status == 200


async def test_running_job_is_interrupted_and_its_partial_picture_is_kept(
    shop: Workshop, simulator: Simulator
) -> None:
    job, following = await shop.submit(steps=150), await shop.submit(steps=2)
    await shop.is_sampling()
    assert await cancel(shop, job) is Cancellation.INTERRUPTED
    assert (await shop.ended(job, 3)).status == JobStatus.CANCELLED
    assert await Image.exists(id=job.id)
    assert shop.names(job.id) == [
        "JobStarted",
        "CheckpointChanged",
        "JobInterrupted",
        "JobFinished",
    ]
    assert (await shop.ended(following)).status == JobStatus.SUCCEEDED
    assert simulator.interrupts == 1


async def test_job_that_is_cancelled_while_its_checkpoint_loads_has_no_picture(
    owner: User, tmp_path: Path
) -> None:
    async with (
        Simulator(SLOW_TO_LOAD, make_catalogue()).serving() as simulator,
        workshop(tmp_path, simulator.url) as shop,
    ):
        job = await shop.submit(steps=150)
        await until(lambda: simulator.active_task == f"navigator-{job.id}")
        await cancel(shop, job)
        row = await shop.ended(job)
        assert (row.status, row.attempts) == (JobStatus.CANCELLED, 0)
        assert not await Image.exists(id=job.id)
        assert shop.names(job.id)[-2:] == ["JobInterrupted", "JobFailed"]
        assert simulator.loaded_checkpoint is not None
        assert (await shop.ended(await shop.submit(steps=2))).status == JobStatus.SUCCEEDED


@ON_SQLITE_ONLY
async def test_cancel_waits_until_the_task_of_somebody_else_is_done(
    shop: Workshop, simulator: Simulator
) -> None:
    """Interrupting is global in Forge: it would hit their picture."""
    theirs = asyncio.create_task(draw(simulator, "theirs"))
    await until(lambda: simulator.active_task == "theirs")
    job = await shop.submit(steps=150)
    await until(lambda: len(simulator.requests) == 2)
    await cancel(shop, job)
    await theirs
    assert (await shop.ended(job, 3)).status == JobStatus.CANCELLED
    assert simulator.interrupted_tasks
    assert "theirs" not in simulator.interrupted_tasks


@ON_SQLITE_ONLY
async def test_picture_of_somebody_else_that_follows_is_left_alone(
    shop: Workshop, simulator: Simulator
) -> None:
    job = await shop.submit(steps=150)
    await shop.is_sampling()
    theirs = asyncio.create_task(draw(simulator, "theirs"))
    await until(lambda: len(simulator.requests) == 2)
    await cancel(shop, job)
    await shop.ended(job, 3)
    await shop.is_sampling(40)
    assert simulator.active_task == "theirs"
    assert simulator.interrupts == 1
    await theirs


async def test_without_the_page_the_running_job_is_interrupted(owner: User, tmp_path: Path) -> None:
    async with (
        Simulator(WITHOUT_PAGE, make_catalogue()).serving() as simulator,
        workshop(tmp_path, simulator.url) as shop,
    ):
        job = await shop.submit(steps=150)
        await until(lambda: shop.previews.get(job.id) is not None)
        await cancel(shop, job)
        assert (await shop.ended(job, 3)).status == JobStatus.CANCELLED
        assert simulator.interrupts == 1
        assert (await shop.ended(await shop.submit(steps=2))).status == JobStatus.SUCCEEDED


@ON_SQLITE_ONLY
async def test_without_the_page_a_cancel_waits_until_the_checkpoint_is_loaded(
    owner: User, tmp_path: Path
) -> None:
    options = replace(SLOW_TO_LOAD, ui=False)
    async with (
        Simulator(options, make_catalogue()).serving() as simulator,
        workshop(tmp_path, simulator.url) as shop,
    ):
        job = await shop.submit(steps=150)
        await until(lambda: simulator.active_task is not None)
        await cancel(shop, job)
        assert (await shop.ended(job)).status == JobStatus.CANCELLED
        assert await Image.exists(id=job.id)
        assert simulator.interrupts == 1


async def test_waiting_job_that_is_cancelled_never_reaches_forge(
    shop: Workshop, simulator: Simulator
) -> None:
    running, waiting = await shop.submit(steps=20), await shop.submit()
    await until(lambda: len(simulator.requests) == 1)
    assert await cancel(shop, waiting) is Cancellation.REMOVED
    await shop.ended(running)
    await shop.ended(await shop.submit(steps=2))
    assert len(simulator.requests) == 2
    assert simulator.interrupts == 0
    assert shop.names(waiting.id) == []


async def test_cancelled_job_whose_run_fails_is_not_tried_again(
    shop: Workshop, simulator: Simulator
) -> None:
    simulator.inject(Fault.hang(after_steps=3))
    job = await shop.submit(steps=150)
    await shop.is_sampling()
    await cancel(shop, job)
    await until(lambda: simulator.interrupts > 0)
    await simulator.restart()
    row = await shop.ended(job)
    assert row.status == JobStatus.CANCELLED
    assert len(simulator.requests) == 1


async def test_cancelling_just_as_a_job_finishes_agrees_with_its_end(shop: Workshop) -> None:
    """At any moment: refused and finished, or accepted and ended; the next job runs."""
    for number in range(12):
        job = await shop.submit(steps=1, job_id=f"racing-{number}")
        await until(lambda: shop.names(f"racing-{number}"))  # noqa: B023 - called at once
        for _ in range(number * 20):
            await asyncio.sleep(0)  # the moment is another one each time
        accepted = True
        try:
            await cancel(shop, job)
        except NotFound:
            accepted = False
        row = await shop.ended(job)
        assert accepted or row.status == JobStatus.SUCCEEDED
        assert "JobFinished" in shop.names(job.id) or row.status == JobStatus.CANCELLED
        assert await Image.exists(id=job.id) is ("JobFinished" in shop.names(job.id))
    assert (await shop.ended(await shop.submit(steps=1))).status == JobStatus.SUCCEEDED


async def test_job_that_was_asked_to_stop_before_a_crash_does_not_run_again(
    owner: User, simulator: Simulator, tmp_path: Path
) -> None:
    before = make_queue()
    await before.recover()
    job = await make_job(before)
    await before.claim(job.lane)
    await before.cancel(job.id, caller_id=OWNER, is_administrator=False)
    async with workshop(tmp_path, simulator.url) as shop:
        await shop.ended(await shop.submit(steps=2))
        assert (await Job.get(id=job.id)).status == JobStatus.CANCELLED
    assert len(simulator.requests) == 1


@pytest.mark.parametrize("ui", [True, False])
async def test_shutdown_interrupts_forge_and_the_job_is_made_after_the_next_start(
    owner: User, tmp_path: Path, ui: bool
) -> None:
    options = replace(WORKING, ui=ui)
    async with Simulator(options, make_catalogue()).serving() as simulator:
        async with workshop(tmp_path, simulator.url) as shop:
            job = await shop.submit(steps=40)
            await shop.is_sampling()
        assert simulator.interrupts == 1
        row = await Job.get(id=job.id)
        assert (row.status, row.attempts, row.runs) == (JobStatus.QUEUED, 0, 1)
        async with workshop(tmp_path, simulator.url) as shop:
            assert (await shop.ended(job)).status == JobStatus.SUCCEEDED
        ids = [request.body["force_task_id"] for request in simulator.requests]  # type: ignore[index]
        assert ids == [f"navigator-{job.id}", f"navigator-{job.id}-2"]


@ON_SQLITE_ONLY
async def test_shutdown_leaves_the_picture_of_somebody_else_alone(
    owner: User, simulator: Simulator, tmp_path: Path
) -> None:
    theirs = asyncio.create_task(draw(simulator, "theirs"))
    await until(lambda: simulator.active_task == "theirs")
    async with workshop(tmp_path, simulator.url) as shop:
        await shop.submit()
        await until(lambda: len(simulator.requests) == 2)
    assert simulator.interrupts == 0
    await theirs


async def test_what_forge_still_draws_after_a_crash_of_ours_is_interrupted_first(
    owner: User, simulator: Simulator, tmp_path: Path
) -> None:
    before = make_queue()
    await before.recover()
    job = await make_job(before, steps=2)
    await before.claim(job.lane)
    abandoned = asyncio.create_task(draw(simulator, f"navigator-{job.id}", steps=150))
    await until(lambda: simulator.active_task == f"navigator-{job.id}")
    async with workshop(tmp_path, simulator.url) as shop:
        row = await shop.ended(job, 3)
        assert (row.status, row.attempts, row.runs) == (JobStatus.SUCCEEDED, 0, 2)
    assert simulator.interrupts == 1
    await abandoned
