"""Tests of unloading when nobody draws, with a simulated Forge that has a GPU."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.generation.idle_unload import IdleUnload
from app.jobs.models import Job, JobStatus
from app.simulator import Fault, Simulator
from tests.app.generation.idling import (
    INTERVAL,
    LANE,
    UNLOAD,
    Clock,
    drawn,
    forge_with_gpu,
    freed,
    switches,
    unloading_when_idle,
    unloads,
)
from tests.building import CHECKPOINT, ON_SQLITE_ONLY, OWNER, Workshop
from tests.waiting import until

pytestmark = ON_SQLITE_ONLY


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with forge_with_gpu() as serving:
        yield serving


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def idle(shop: Workshop, clock: Clock) -> AsyncIterator[IdleUnload]:
    """Unloads after ten minutes."""
    async with unloading_when_idle(shop, clock) as working:
        yield working


async def test_checkpoint_is_unloaded_once_so_long_after_the_last_job(
    shop: Workshop, simulator: Simulator, clock: Clock, idle: IdleUnload
) -> None:
    await drawn(shop)
    await until(lambda: idle.unloads_at)
    ended_at = shop.queue.idle.since(LANE)
    assert ended_at is not None
    assert idle.unloads_at == ended_at + INTERVAL
    clock.forward(9.9)
    await clock.is_seen()
    assert unloads(simulator) == 0
    clock.forward(0.1)
    await freed(simulator, shop)
    await until(lambda: idle.unloads_at is None)
    assert unloads(simulator) == 1
    assert shop.loaded.last_known is None
    # What is not loaded is not unloaded: neither later, nor after a job that never ran.
    clock.forward(600)
    await shop.pauses.pause(LANE)
    job = await shop.submit()
    await shop.queue.cancel(job.id, caller_id=OWNER, is_administrator=False)
    await shop.pauses.resume(LANE)
    clock.forward(600)
    assert switches(shop) == [CHECKPOINT]
    await drawn(shop)
    assert unloads(simulator) <= 2
    await freed(simulator, shop)
    assert (unloads(simulator), switches(shop)) == (2, [CHECKPOINT, CHECKPOINT])


async def test_time_begins_anew_with_each_job(
    shop: Workshop, simulator: Simulator, clock: Clock, idle: IdleUnload
) -> None:
    await drawn(shop)
    await until(lambda: idle.unloads_at)
    first = idle.unloads_at
    await drawn(shop)
    await until(lambda: idle.unloads_at)
    assert idle.unloads_at != first
    assert idle.unloads_at == (shop.queue.idle.since(LANE) or clock()) + INTERVAL
    clock.forward(10)
    await freed(simulator, shop)
    assert unloads(simulator) == 1


async def test_running_job_is_not_disturbed(
    shop: Workshop, simulator: Simulator, clock: Clock, idle: IdleUnload
) -> None:
    await drawn(shop)
    await until(lambda: idle.unloads_at)
    job = await shop.submit(steps=60)
    await shop.is_sampling()
    assert idle.unloads_at is None
    clock.forward(60)
    assert (await shop.ended(job)).status == JobStatus.SUCCEEDED
    await freed(simulator, shop)
    assert (simulator.unloads_during, unloads(simulator)) == ([], 1)


async def test_nothing_is_unloaded_while_a_job_waits_in_a_paused_queue(
    shop: Workshop, simulator: Simulator, clock: Clock, idle: IdleUnload
) -> None:
    await drawn(shop)
    await shop.pauses.pause(LANE)
    job = await shop.submit(steps=2)
    assert idle.unloads_at is None
    clock.forward(60)
    for _ in range(20):  # whoever unloaded by the clock would have done it by then
        await shop.forge.progress()
    assert unloads(simulator) == 0
    await shop.queue.cancel(job.id, caller_id=OWNER, is_administrator=False)
    await freed(simulator, shop)
    assert shop.pauses.is_paused(LANE)


async def test_job_that_comes_at_that_very_moment_waits_for_the_end_of_it(
    shop: Workshop, simulator: Simulator, clock: Clock, idle: IdleUnload
) -> None:
    await drawn(shop)
    simulator.inject(Fault.hang(UNLOAD))
    clock.forward(10)
    await until(lambda: unloads(simulator) == 1)
    job = await shop.submit(steps=40)
    for _ in range(20):  # whoever did not wait would be drawn by then
        await shop.forge.progress()
    await shop.has_status(job, JobStatus.QUEUED)
    assert len(simulator.requests) == 1
    simulator.clear_faults()
    assert (await shop.ended(job)).status == JobStatus.SUCCEEDED
    assert simulator.unloads_during == []
    assert switches(shop) == [CHECKPOINT, CHECKPOINT]


async def test_job_that_comes_just_before_is_drawn_first(
    shop: Workshop, simulator: Simulator, clock: Clock, idle: IdleUnload
) -> None:
    await drawn(shop)
    await until(lambda: idle.unloads_at)
    async with shop.pauses.gate(LANE):
        clock.forward(10)
        looks = clock.looks
        await until(lambda: clock.looks > looks)  # now it waits for the gate
        job = await shop.submit(steps=2)
        clock.forward(-10)
    assert (await shop.ended(job)).status == JobStatus.SUCCEEDED
    assert (unloads(simulator), switches(shop)) == (0, [CHECKPOINT])


async def test_jobs_that_come_all_the_time_are_never_disturbed(
    shop: Workshop, simulator: Simulator
) -> None:
    async with unloading_when_idle(shop, None, timedelta(milliseconds=1)):
        for count in range(1, 13):
            await drawn(shop)
            await until(lambda count=count: count % 3 or simulator.is_gpu_free)  # type: ignore[misc]
    assert simulator.unloads_during == []
    assert unloads(simulator) >= 4
    assert await Job.filter(status=JobStatus.SUCCEEDED).count() == 12


async def test_what_the_owner_has_freed_is_not_unloaded_again(
    shop: Workshop, simulator: Simulator, clock: Clock, idle: IdleUnload
) -> None:
    await drawn(shop)
    await until(lambda: idle.unloads_at)
    await shop.unloading.free()
    await freed(simulator, shop)
    assert idle.unloads_at is None
    await shop.pauses.resume(LANE)
    clock.forward(60)
    await drawn(shop)
    await freed(simulator, shop)
    assert unloads(simulator) == 2


async def test_nothing_is_unloaded_unless_it_is_wanted(
    shop: Workshop, simulator: Simulator, clock: Clock
) -> None:
    async with unloading_when_idle(shop, clock, None) as idle:
        await drawn(shop)
        clock.forward(600)
        for _ in range(20):
            await shop.forge.progress()
        assert (idle.unloads_at, unloads(simulator), clock.looks) == (None, 0, 0)
