"""Tests of unloading when idle: others who draw, a Forge that fails, is away or new."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.accounts.models import User
from app.generation.idle_unload import IdleUnload
from app.jobs.models import JobStatus
from app.simulator import Fault, Simulator
from tests.app.generation.drawing import somebody_drawing
from tests.app.generation.idling import (
    INTERVAL,
    UNLOAD,
    Clock,
    drawn,
    forge_with_gpu,
    freed,
    is_idle,
    unloading_when_idle,
    unloads,
)
from tests.building import ON_SQLITE_ONLY, Workshop, workshop
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


async def test_run_of_somebody_else_at_forge_begins_the_time_anew(
    shop: Workshop, simulator: Simulator, clock: Clock, idle: IdleUnload
) -> None:
    await drawn(shop)
    await until(lambda: idle.unloads_at)
    before = idle.unloads_at
    assert before is not None
    async with somebody_drawing(simulator, shop):
        clock.forward(10)
        await until(lambda: idle.unloads_at and idle.unloads_at > before)
        clock.forward(5)
        await until(lambda: len(simulator.requests) == 2)
        await clock.is_seen()
        assert unloads(simulator) == 0
    await is_idle(shop)
    await clock.is_seen()
    clock.forward(10)
    await freed(simulator, shop)
    assert (simulator.unloads_during, unloads(simulator)) == ([], 1)


async def test_what_somebody_else_drew_meanwhile_counts_too(
    shop: Workshop, simulator: Simulator, clock: Clock, idle: IdleUnload
) -> None:
    await drawn(shop)
    await until(lambda: idle.unloads_at)
    await clock.is_seen()
    before = idle.unloads_at
    assert before is not None
    await shop.forge.txt2img({"steps": 7, "width": 64, "height": 64})
    clock.forward(10)
    await until(lambda: idle.unloads_at and idle.unloads_at >= before + INTERVAL)
    assert unloads(simulator) == 0
    clock.forward(10)
    await freed(simulator, shop)
    assert unloads(simulator) == 1


async def test_failure_is_logged_once_and_tried_again(
    shop: Workshop,
    simulator: Simulator,
    clock: Clock,
    idle: IdleUnload,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "app.generation.idle_unload")
    simulator.inject(Fault.http_500(UNLOAD, times=2))
    await drawn(shop)
    for count in (1, 2):
        clock.forward(10)
        await until(lambda count=count: unloads(simulator) == count)  # type: ignore[misc]
        await clock.is_seen()
        assert idle.unloads_at is not None
        assert idle.unloads_at > clock()
    clock.forward(10)
    await freed(simulator, shop)
    (record,) = caplog.records
    assert "Forge answered 500: RuntimeError simulated failure" in record.getMessage()


async def test_forge_that_still_holds_the_memory_is_asked_again(
    shop: Workshop,
    simulator: Simulator,
    clock: Clock,
    idle: IdleUnload,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await drawn(shop)
    simulator.inject(Fault.hang("/sdapi/v1/memory"))
    clock.forward(10)
    await until(lambda: simulator.calls["GET /sdapi/v1/memory"] == 1)
    await shop.forge.txt2img({"steps": 1, "width": 64, "height": 64})
    simulator.clear_faults()
    await until(lambda: "still holds 7.2 GB of the GPU's memory" in caplog.text)
    assert shop.loaded.unloaded_at is None
    clock.forward(10)
    await clock.is_seen()
    clock.forward(10)
    await freed(simulator, shop)
    assert unloads(simulator) == 2


async def test_forge_that_was_away_is_given_the_whole_time(
    shop: Workshop, simulator: Simulator, clock: Clock, idle: IdleUnload
) -> None:
    await drawn(shop)
    await until(lambda: idle.unloads_at)
    before = idle.unloads_at
    shop.health.report_trouble("It is gone.")
    assert idle.unloads_at is None
    await shop.health.wait_ready()
    assert shop.health.since is not None
    assert idle.unloads_at == shop.health.since + INTERVAL != before
    clock.forward(11)
    await freed(simulator, shop)


async def test_restarted_forge_has_nothing_to_unload(
    shop: Workshop, simulator: Simulator, clock: Clock, idle: IdleUnload
) -> None:
    await drawn(shop)
    await until(lambda: idle.unloads_at)
    await clock.is_seen()
    await simulator.restart()
    clock.forward(60)
    await until(lambda: not shop.loaded.may_be_ours)
    assert (idle.unloads_at, shop.loaded.unloaded_at, unloads(simulator)) == (None, None, 0)
    await drawn(shop)
    await freed(simulator, shop)


async def test_failed_job_may_have_loaded_something_too(
    shop: Workshop, simulator: Simulator, clock: Clock, idle: IdleUnload
) -> None:
    simulator.inject(Fault.out_of_memory(times=None))
    assert (await shop.ended(await shop.submit(steps=2))).status == JobStatus.FAILED
    await until(lambda: idle.unloads_at)
    assert not simulator.is_gpu_free
    clock.forward(11)
    await freed(simulator, shop)


@pytest.mark.parametrize("is_ours", [True, False])
async def test_only_what_a_job_has_loaded_before_the_start_is_unloaded(
    owner: User, tmp_path: Path, simulator: Simulator, clock: Clock, is_ours: bool
) -> None:
    async with workshop(tmp_path, simulator.url) as before:
        if is_ours:
            await drawn(before)
        else:
            await before.forge.txt2img({"steps": 1, "width": 64, "height": 64})
    async with workshop(tmp_path, simulator.url) as shop, unloading_when_idle(shop, clock) as idle:
        if is_ours:
            await until(lambda: idle.unloads_at)
            clock.forward(11)
            await freed(simulator, shop)
        else:
            clock.forward(60)
            await shop.health.wait_ready()
            for _ in range(20):
                await shop.forge.progress()
            assert (idle.unloads_at, unloads(simulator)) == (None, 0)
