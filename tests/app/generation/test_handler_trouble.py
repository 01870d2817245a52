"""Tests of a txt2img job when Forge or the disk fails: what is tried again, what is said."""

import asyncio
import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.accounts.models import User
from app.generation.models import Image
from app.jobs.models import JobStatus
from app.simulator import Fault, Simulator
from tests.building import ON_SQLITE_ONLY, OWNER, WORKING, Workshop, make_catalogue, workshop
from tests.waiting import until


def task_ids(simulator: Simulator) -> list[str]:
    bodies = [request.body for request in simulator.requests]
    return [str(body["force_task_id"]) for body in bodies if isinstance(body, dict)]


def pictures(shop: Workshop) -> list[Path]:
    return [path for path in (shop.folder / "images").rglob("*") if path.is_file()]


FAULTS = {
    "out of memory": (Fault.out_of_memory, "CUDA out of memory"),
    "crash": (Fault.crash, "illegal memory access"),
    "http 500": (Fault.http_500, "simulated failure"),
    "dropped": (Fault.drop, "broke the connection"),
    "junk": (Fault.junk_json, "not JSON"),
    "no images": (Fault.no_images, "returned no picture"),
    "corrupt image": (Fault.corrupt_image, "no whole picture"),
}


@ON_SQLITE_ONLY
@pytest.mark.parametrize("name", FAULTS)
async def test_third_failure_of_forge_ends_the_job_with_a_plain_reason(
    shop: Workshop, simulator: Simulator, name: str
) -> None:
    fault, reason = FAULTS[name]
    simulator.inject(fault(times=3))
    job = await shop.submit(steps=3)
    row = await shop.ended(job)
    assert (row.status, row.attempts, row.runs) == (JobStatus.FAILED, 3, 3)
    assert reason in (row.error or "")
    assert len(row.error or "") < 400
    assert shop.names(job.id).count("JobFailed") == 1
    assert not await Image.exists(id=job.id)
    following = await shop.ended(await shop.submit(steps=3))
    assert (following.status, following.attempts) == (JobStatus.SUCCEEDED, 0)
    names = [f"navigator-{job.id}", f"navigator-{job.id}-2", f"navigator-{job.id}-3"]
    if name not in {"http 500", "junk"}:  # these never reach what keeps the requests
        assert [task for task in task_ids(simulator) if job.id in task] == names
    assert len(pictures(shop)) == 1


@ON_SQLITE_ONLY
@pytest.mark.parametrize("name", FAULTS)
async def test_two_failures_of_forge_are_made_good(
    shop: Workshop, simulator: Simulator, name: str
) -> None:
    fault, _ = FAULTS[name]
    simulator.inject(fault(times=2))
    job = await shop.ended(await shop.submit(steps=3))
    assert (job.status, job.attempts, job.runs) == (JobStatus.SUCCEEDED, 2, 3)
    assert await Image.filter(id=job.id).count() == 1
    assert shop.names(job.id)[-1] == "JobFinished"
    assert "JobFailed" not in shop.names(job.id)


async def test_failed_job_that_is_retried_makes_its_picture(
    shop: Workshop, simulator: Simulator
) -> None:
    simulator.inject(Fault.http_500(times=3))
    job = await shop.ended(await shop.submit(steps=2))
    assert job.status == JobStatus.FAILED
    await shop.queue.retry(job.id, caller_id=OWNER, is_administrator=False)
    job = await shop.ended(job)
    assert (job.status, job.runs) == (JobStatus.SUCCEEDED, 4)
    assert task_ids(simulator) == [f"navigator-{job.id}-4"]


async def test_job_waits_for_a_forge_that_is_away_and_starts_by_itself(
    owner: User, tmp_path: Path, unused_port: int
) -> None:
    async with workshop(tmp_path, f"http://127.0.0.1:{unused_port}") as shop:
        job = await shop.submit(steps=2)
        await until(lambda: shop.health.reason == "Forge does not answer.")
        assert not shop.health.is_ready
        async with Simulator(WORKING, make_catalogue()).serving(port=unused_port):
            row = await shop.ended(job)
    assert (row.status, row.attempts, row.runs) == (JobStatus.SUCCEEDED, 0, 1)


async def test_forge_that_dies_during_a_run_counts_one_attempt(
    shop: Workshop, simulator: Simulator
) -> None:
    job = await shop.submit()
    await shop.is_sampling()
    await simulator.restart()
    row = await shop.ended(job)
    assert (row.status, row.attempts) == (JobStatus.SUCCEEDED, 1)
    assert simulator.interrupts == 0


async def test_forge_that_goes_away_between_jobs_counts_none(
    owner: User, tmp_path: Path, unused_port: int
) -> None:
    async with workshop(tmp_path, f"http://127.0.0.1:{unused_port}") as shop:
        async with Simulator(WORKING, make_catalogue()).serving(port=unused_port):
            await shop.ended(await shop.submit(steps=2))
        job = await shop.submit(steps=2)
        await until(lambda: not shop.health.is_ready)
        await shop.has_status(job, JobStatus.QUEUED)
        async with Simulator(WORKING, make_catalogue()).serving(port=unused_port):
            row = await shop.ended(job)
    assert (row.status, row.attempts) == (JobStatus.SUCCEEDED, 0)


@ON_SQLITE_ONLY
async def test_connection_that_drops_while_forge_goes_on_is_settled_before_the_next_attempt(
    shop: Workshop, simulator: Simulator
) -> None:
    """Forge does not care who listens: the first run has to be interrupted."""
    simulator.inject(Fault.drop(after_steps=2))
    row = await shop.ended(await shop.submit(steps=30))
    assert (row.status, row.attempts) == (JobStatus.SUCCEEDED, 1)
    assert simulator.interrupts == 1


@ON_SQLITE_ONLY
async def test_forge_that_stops_drawing_is_given_up_and_a_restart_is_asked_for(
    owner: User, simulator: Simulator, tmp_path: Path
) -> None:
    simulator.inject(Fault.hang(after_steps=3))
    async with workshop(tmp_path, simulator.url, stall_s=0.15) as shop:
        job = await shop.submit(steps=20)
        await until(lambda: shop.health.restart_wanted is not None)
        assert "stopped drawing at step 3" in (shop.health.restart_wanted or "")
        await until(lambda: shop.health.is_ready)
        assert shop.health.restart_wanted is not None
        await simulator.restart()  # what the launcher does
        row = await shop.ended(job)
        assert row.status == JobStatus.SUCCEEDED
        assert row.attempts >= 1
        assert shop.health.restart_wanted is None


async def test_checkpoint_that_loads_for_ever_is_given_up(owner: User, tmp_path: Path) -> None:
    options = replace(WORKING, checkpoint_load_time_s=1000)
    async with (
        Simulator(options, make_catalogue()).serving() as simulator,
        workshop(tmp_path, simulator.url, load_s=0.15) as shop,
    ):
        await shop.submit()
        await until(lambda: shop.health.restart_wanted is not None)
        assert "loading the checkpoint" in (shop.health.restart_wanted or "")


@ON_SQLITE_ONLY
async def test_job_behind_a_long_task_of_somebody_else_is_not_given_up(
    owner: User, simulator: Simulator, tmp_path: Path
) -> None:
    async with workshop(tmp_path, simulator.url, stall_s=0.15) as shop:
        theirs = asyncio.create_task(shop.forge.txt2img({"steps": 50, "width": 64, "height": 64}))
        await until(lambda: simulator.active_task is not None)
        row = await shop.ended(await shop.submit(steps=2))
        assert (await theirs).images
    assert (row.status, row.attempts) == (JobStatus.SUCCEEDED, 0)


async def test_full_disk_fails_that_job_only_and_its_row_says_so(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, left = os.fsync, [1]

    def full_once(descriptor: int) -> None:
        if left:
            left.pop()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full_once)
    job, following = await shop.submit(steps=2), await shop.submit(steps=2)
    row = await shop.ended(job)
    assert (row.status, row.attempts) == (JobStatus.FAILED, 0)
    assert row.error == "The picture could not be saved: No space left on device."
    assert (await shop.ended(following)).status == JobStatus.SUCCEEDED
    assert not await Image.exists(id=job.id)
    await shop.queue.retry(job.id, caller_id=OWNER, is_administrator=False)
    assert (await shop.ended(job)).status == JobStatus.SUCCEEDED


async def test_folder_of_pictures_that_is_gone_fails_jobs_until_it_is_back(
    shop: Workshop,
) -> None:
    folder = shop.folder / "images"
    shutil.rmtree(folder)
    folder.write_text("in the way")
    job = await shop.ended(await shop.submit(steps=2))
    assert job.status == JobStatus.FAILED
    assert "could not be saved" in (job.error or "")
    folder.unlink()
    assert (await shop.ended(await shop.submit(steps=2))).status == JobStatus.SUCCEEDED


async def test_crash_between_the_file_and_its_row_leaves_nothing_to_see_and_one_picture_after(
    shop: Workshop, simulator: Simulator
) -> None:
    job = await shop.submit(job_id="crashed-before", seed=7, steps=2)
    await shop.ended(job)
    row = await Image.get(id=job.id)
    # As the crash would have left it: the file is there, nothing else is.
    await row.delete()
    await type(job).filter(id=job.id).update(status=JobStatus.RUNNING)
    async with workshop(shop.folder, simulator.url) as again:
        assert (await again.ended(job)).status == JobStatus.SUCCEEDED
        assert await Image.filter(id=job.id).count() == 1
        assert len(pictures(again)) == 1


async def test_options_of_forge_that_cannot_be_read_do_not_keep_a_job_from_running(
    shop: Workshop, simulator: Simulator
) -> None:
    """A wrong-typed option makes Forge answer 500 there, for ever."""
    await shop.ended(await shop.submit(steps=2))
    simulator.inject(Fault.http_500(path="/sdapi/v1/options"))
    row = await shop.ended(await shop.submit(steps=2))
    assert (row.status, row.attempts) == (JobStatus.SUCCEEDED, 0)
