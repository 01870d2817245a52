"""Tests of freeing the GPU, with a simulated Forge that has one."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.accounts.models import User
from app.events import CheckpointChanged
from app.generation.unloading import Freeing, FreeingState
from app.jobs.models import JobStatus, Lane
from app.simulator import Fault, Simulator
from tests.app.generation.drawing import somebody_drawing
from tests.building import (
    CHECKPOINT,
    ON_SQLITE_ONLY,
    WORKING,
    Workshop,
    make_catalogue,
    workshop,
)
from tests.waiting import until

GPU_BYTES = 12_000_000_000
UNLOAD = "/sdapi/v1/unload-checkpoint"
PROGRESS = "/sdapi/v1/progress"
LANE = Lane.GENERATION

pytestmark = ON_SQLITE_ONLY


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """A simulated Forge on a computer with a GPU."""
    options = replace(WORKING, gpu_memory_bytes=GPU_BYTES)
    async with Simulator(options, make_catalogue()).serving() as serving:
        yield serving


async def reached(shop: Workshop, state: FreeingState) -> Freeing:
    await until(lambda: (found := shop.unloading.state) and found.state is state)
    assert shop.unloading.state is not None
    return shop.unloading.state


def switches(shop: Workshop) -> list[str]:
    return [event.checkpoint for event in shop.events if isinstance(event, CheckpointChanged)]


async def test_gpu_is_freed_and_the_queue_stays_paused(
    shop: Workshop, simulator: Simulator
) -> None:
    await shop.ended(await shop.submit(steps=2))
    assert not simulator.is_gpu_free
    assert shop.unloading.state is None
    assert (await shop.unloading.free()).state is FreeingState.FREEING
    freed = await reached(shop, FreeingState.FREED)
    assert simulator.is_gpu_free
    assert freed.gpu is not None
    assert freed.gpu.free_bytes > 0.9 * GPU_BYTES
    assert (freed.waits_for, freed.error) == (None, None)
    assert shop.pauses.is_paused(LANE)
    assert shop.loaded.last_known is None


async def test_running_job_ends_before_anything_is_unloaded(
    shop: Workshop, simulator: Simulator
) -> None:
    job, next_job = await shop.submit(steps=40), await shop.submit(steps=2)
    await shop.is_sampling()
    freeing = await shop.unloading.free()
    assert freeing.waits_for == f"Job {job.id} is still running."
    assert (await shop.unloading.free()).state is FreeingState.FREEING
    await reached(shop, FreeingState.FREED)
    assert (await shop.ended(job)).status == JobStatus.SUCCEEDED
    assert simulator.unloads_during == []
    assert simulator.calls[f"POST {UNLOAD}"] == 1
    await shop.has_status(next_job, JobStatus.QUEUED)
    assert len(simulator.requests) == 1


async def test_run_of_somebody_else_at_forge_is_waited_for(
    shop: Workshop, simulator: Simulator
) -> None:
    async with somebody_drawing(simulator, shop):
        await shop.unloading.free()
        await until(lambda: (found := shop.unloading.state) and found.waits_for)
        assert shop.unloading.state is not None
        assert shop.unloading.state.waits_for == "Forge works on something that is not Navigator's."
        await reached(shop, FreeingState.FREED)
    assert simulator.unloads_during == []


async def test_forge_that_never_becomes_idle_is_not_waited_for_for_ever(
    owner: User, tmp_path: Path, simulator: Simulator
) -> None:
    async with (
        workshop(tmp_path, simulator.url, idle_patience_s=0.1) as shop,
        somebody_drawing(simulator, shop),
    ):
        await shop.unloading.free()
        failed = await reached(shop, FreeingState.FAILED)
        assert failed.error == "Forge does not become idle, so the GPU was not freed."
        assert simulator.calls[f"POST {UNLOAD}"] == 0


async def test_next_job_after_resuming_loads_the_checkpoint_again(
    shop: Workshop, simulator: Simulator
) -> None:
    await shop.ended(await shop.submit(steps=2))
    await shop.ended(await shop.submit(steps=2))
    assert switches(shop) == [CHECKPOINT]
    await shop.unloading.free()
    await reached(shop, FreeingState.FREED)
    waiting = await shop.submit(steps=2)
    await shop.pauses.resume(LANE)
    await shop.ended(waiting)
    assert not simulator.is_gpu_free
    assert switches(shop) == [CHECKPOINT, CHECKPOINT]
    await shop.ended(await shop.submit(steps=2))
    assert switches(shop) == [CHECKPOINT, CHECKPOINT]
    assert shop.unloading.state is None


async def test_queue_goes_on_by_itself_after_the_chosen_time(shop: Workshop) -> None:
    job = await shop.submit(steps=2)
    await shop.unloading.free(for_s=0.2)
    assert (await shop.ended(job)).status == JobStatus.SUCCEEDED
    assert shop.unloading.state is None


async def test_resuming_while_a_job_runs_ends_the_freeing(
    shop: Workshop, simulator: Simulator
) -> None:
    jobs = [await shop.submit(steps=30), await shop.submit(steps=2)]
    await shop.is_sampling()
    await shop.unloading.free()
    await shop.pauses.resume(LANE)
    assert shop.unloading.state is None
    for job in jobs:
        assert (await shop.ended(job)).status == JobStatus.SUCCEEDED
    assert simulator.calls[f"POST {UNLOAD}"] == 0


async def test_pausing_again_does_not_bring_back_what_was_freed_before(shop: Workshop) -> None:
    await shop.unloading.free()
    await reached(shop, FreeingState.FREED)
    await shop.pauses.pause(LANE, for_s=3600)
    assert shop.unloading.state is not None
    await shop.pauses.resume(LANE)
    await shop.pauses.pause(LANE)
    assert shop.unloading.state is None


async def test_no_job_starts_while_forge_unloads(shop: Workshop, simulator: Simulator) -> None:
    """Even when the queue is resumed in the middle of it."""
    simulator.inject(Fault.hang(UNLOAD))
    await shop.unloading.free()
    await until(lambda: simulator.calls[f"POST {UNLOAD}"] == 1)
    await shop.pauses.resume(LANE)
    job = await shop.submit(steps=2)
    await shop.has_status(job, JobStatus.QUEUED)
    assert len(simulator.requests) == 0
    simulator.clear_faults()
    assert (await shop.ended(job)).status == JobStatus.SUCCEEDED
    assert simulator.unloads_during == []


@pytest.mark.parametrize("path", [UNLOAD, PROGRESS])
async def test_failing_forge_is_told_and_the_queue_stays_paused(
    shop: Workshop, simulator: Simulator, path: str
) -> None:
    simulator.inject(Fault.http_500(path))
    await shop.unloading.free()
    failed = await reached(shop, FreeingState.FAILED)
    assert failed.error == "Forge answered 500: RuntimeError simulated failure"
    assert shop.pauses.is_paused(LANE)
    await shop.unloading.free()
    assert (await reached(shop, FreeingState.FREED)).error is None


async def test_forge_that_cannot_tell_its_memory_is_believed(
    shop: Workshop, simulator: Simulator
) -> None:
    simulator.inject(Fault.http_500("/sdapi/v1/memory"))
    await shop.unloading.free()
    assert (await reached(shop, FreeingState.FREED)).gpu is None


async def test_forge_that_is_away_is_told(owner: User, tmp_path: Path, unused_port: int) -> None:
    async with workshop(tmp_path, f"http://127.0.0.1:{unused_port}") as shop:
        await shop.unloading.free()
        assert (await reached(shop, FreeingState.FAILED)).error == "Forge does not answer."
        assert shop.pauses.is_paused(LANE)
