"""Tests of `app/library/download_handler.py`, over real HTTP, on both databases."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.models import User
from app.events import (
    DownloadFinished,
    DownloadProgressed,
    JobFailed,
    JobInterrupted,
    JobStarted,
)
from app.jobs.models import Job, JobStatus
from tests.app.library.downloading import Shop, shop
from tests.building import OWNER
from tests.fakes.civitai import FakeCivitai
from tests.fakes.file_host import Cut, Redirect, Stalled
from tests.fakes.serving import Fault
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("owner")

INK = bytes(range(256)) * 12_000  # 3 MB
PATH = "api/download/models/101"


@pytest.fixture
async def downloads(owner: User, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop with a CivitAI that offers a LoRA."""
    (tmp_path / "forge" / "models").mkdir(parents=True)
    async with FakeCivitai().serving() as civitai:
        civitai.offer(101, INK)
        civitai.offer(201, INK[1:])
        civitai.offer(102, INK[2:])
        async with shop(civitai, tmp_path / "forge" / "models") as opened:
            yield opened


async def test_events_tell_how_it_goes(downloads: Shop) -> None:
    job = await downloads.submit(101)
    async with downloads.heard() as told, downloads.worker.working():
        await downloads.has(job, JobStatus.SUCCEEDED)
    assert [type(event) for event in (told[0], told[-1])] == [JobStarted, DownloadFinished]
    progress = [event for event in told if isinstance(event, DownloadProgressed)]
    assert progress[0].received_bytes == 0
    assert (progress[-1].received_bytes, progress[-1].fraction) == (len(INK), 1.0)
    assert progress[-1].eta_s == 0
    assert downloads.handler.progress_of(job.id) is None


async def test_two_run_at_once_and_the_third_waits(downloads: Shop) -> None:
    jobs = [await downloads.submit(number) for number in (101, 201, 102)]
    for number in (101, 201, 102):
        downloads.civitai.host.tricks[f"api/download/models/{number}"] = [Stalled(1000)] * 50
    async with downloads.worker.working():
        await until(lambda: Job.filter(status=JobStatus.RUNNING).count())
        await until(lambda: len(downloads.civitai.host.fetched) >= 2)
        assert await Job.filter(status=JobStatus.RUNNING).count() == 2
        assert (await Job.get(id=jobs[2].id)).status == JobStatus.QUEUED
        downloads.civitai.host.tricks.clear()
        for job in jobs:
            await downloads.has(job, JobStatus.SUCCEEDED)


async def test_one_who_stops_it_finds_nothing_left(downloads: Shop) -> None:
    job = await downloads.submit(101)
    downloads.civitai.host.tricks[PATH] = [Stalled(1_500_000)] * 50
    async with downloads.heard() as told, downloads.worker.working():
        await until(lambda: downloads.handler.progress_of(job.id) is not None)
        await downloads.queue.cancel(job.id, caller_id=OWNER, is_administrator=False)
        await downloads.has(job, JobStatus.CANCELLED)
    assert {JobInterrupted, JobFailed} <= {type(event) for event in told}
    assert downloads.names() == []


async def test_civitai_that_is_away_is_asked_again_and_nothing_is_lost(downloads: Shop) -> None:
    job = await downloads.submit(101)
    downloads.civitai.host.tricks[PATH] = [Cut(1_000_000), *[Fault(503)] * 11]
    async with downloads.worker.working():
        row = await downloads.has(job, JobStatus.SUCCEEDED)
    assert row.attempts == 0
    assert {5.0, 10.0} <= set(downloads.pauses_s)
    assert downloads.civitai.host.fetched[-1].start == 1_000_000


async def test_files_that_cannot_be_had_keep_no_other_waiting(downloads: Shop) -> None:
    stuck = [await downloads.submit(number) for number in (101, 201)]
    for number in (101, 201):
        path = f"api/download/models/{number}"
        downloads.civitai.host.tricks[path] = [Fault(503)] * 10_000
    good = await downloads.submit(102)
    async with downloads.worker.working():
        await downloads.has(good, JobStatus.SUCCEEDED)
        downloads.civitai.host.tricks.clear()
        for job in stuck:
            row = await downloads.has(job, JobStatus.SUCCEEDED)
            assert not any([row.attempts, row.error])


async def test_wish_that_civitai_answers_ends_the_pause(
    downloads: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = asyncio.Event()

    async def sleep(_: float) -> None:
        paused.set()
        await asyncio.sleep(600)

    monkeypatch.setattr(downloads.handler, "_sleep", sleep)
    stuck = await downloads.submit(101)
    downloads.civitai.host.tricks[PATH] = [Fault(503)] * 5
    async with downloads.worker.working():
        await paused.wait()
        good = await downloads.submit(201)
        await downloads.has(good, JobStatus.SUCCEEDED)
        await downloads.has(stuck, JobStatus.SUCCEEDED)


async def test_lie_is_final(downloads: Shop) -> None:
    job = await downloads.submit(101)
    downloads.civitai.host.files[PATH] = bytes(len(INK))
    async with downloads.worker.working():
        row = await downloads.has(job, JobStatus.FAILED)
    assert len(downloads.civitai.host.fetched) == 1
    assert row.error is not None
    assert "SHA-256" in row.error
    assert downloads.names() == []


async def test_page_instead_of_the_file_is_tried_again(downloads: Shop) -> None:
    job = await downloads.submit(101)
    page = Fault(200, b"<html>", {"Content-Type": "text/html"})
    downloads.civitai.host.tricks[PATH] = [Cut(1_000_000), page, page]
    async with downloads.worker.working():
        row = await downloads.has(job, JobStatus.SUCCEEDED)
    assert row.attempts == 2
    assert downloads.civitai.host.fetched[-1].start == 1_000_000
    assert {5.0, 10.0} <= set(downloads.pauses_s)


@pytest.mark.parametrize("trick", [Fault(403), Redirect("https://127.0.0.1/x")])
async def test_refusal_is_final(downloads: Shop, trick: Fault | Redirect) -> None:
    job = await downloads.submit(101)
    downloads.civitai.host.tricks[PATH] = [trick]
    async with downloads.worker.working():
        await downloads.has(job, JobStatus.FAILED)
    assert len(downloads.civitai.host.fetched) == 1


async def test_failed_one_that_is_retried_goes_on(downloads: Shop) -> None:
    job = await downloads.submit(101)
    downloads.civitai.host.tricks[PATH] = [Fault(403)]
    async with downloads.worker.working():
        await downloads.has(job, JobStatus.FAILED)
        await downloads.queue.retry(job.id, caller_id=OWNER, is_administrator=False)
        await downloads.has(job, JobStatus.SUCCEEDED)


async def test_time_before_the_first_byte_is_not_taken_for_slowness(downloads: Shop) -> None:
    job = await downloads.submit(101)
    now_s = 0.0
    downloads.handler._clock = lambda: now_s
    tell = downloads.handler._telling(job)
    now_s = 60.0  # others had the file, or files of ours were read
    tell(0, 1000)
    now_s = 61.0
    tell(100, 1000)
    progress = downloads.handler.progress_of(job.id)
    assert progress is not None
    assert progress.eta_s == 9


async def test_disk_whose_connection_is_lost_is_waited_for(
    downloads: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await downloads.submit(101)
    stat = os.stat

    def lost(path: Any, *args: Any, **options: Any) -> os.stat_result:
        if str(path).startswith(str(downloads.root)):
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        return stat(path, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", lost)
        async with downloads.worker.working():
            await until(lambda: Job.exists(id=job.id, error="Model directory not found"))
            patched.undo()
            await downloads.has(job, JobStatus.SUCCEEDED)


async def test_folder_is_named_when_a_file_of_it_cannot_be_read(downloads: Shop) -> None:
    job = await downloads.submit(101)
    downloads.handler.wanted(job).target.mkdir(parents=True)
    async with downloads.worker.working():
        row = await downloads.has(job, JobStatus.FAILED)
    assert row.error == "The folder Lora cannot be used: Is a directory."


async def test_disk_that_is_away_is_waited_for(downloads: Shop) -> None:
    job = await downloads.submit(101)
    elsewhere = downloads.root.rename(downloads.root.with_name("unplugged"))
    async with downloads.worker.working():
        await until(lambda: Job.exists(id=job.id, error="Model directory not found"))
        await until(lambda: 5.0 in downloads.pauses_s)
        elsewhere.rename(downloads.root)
        row = await downloads.has(job, JobStatus.SUCCEEDED)
    assert row.attempts == 0
    assert downloads.names() == ["Lora/model_101.safetensors"]


async def test_disk_that_goes_in_the_middle_is_waited_for(downloads: Shop) -> None:
    job = await downloads.submit(101)
    downloads.civitai.host.tricks[PATH] = [Stalled(1_500_000)] * 2
    async with downloads.worker.working():
        await until(lambda: _received(downloads, job) > 0)
        elsewhere = downloads.root.rename(downloads.root.with_name("unplugged"))
        await until(lambda: Job.exists(id=job.id, error="Model directory not found"))
        elsewhere.rename(downloads.root)
        await downloads.has(job, JobStatus.SUCCEEDED)


async def test_shutdown_in_the_middle_is_continued_at_the_next_start(downloads: Shop) -> None:
    job = await downloads.submit(101)
    downloads.civitai.host.tricks[PATH] = [Stalled(1_500_000)] * 50
    async with downloads.worker.working():
        await until(lambda: _received(downloads, job) > 0)
    assert (await Job.get(id=job.id)).status == JobStatus.QUEUED
    downloads.civitai.host.tricks.clear()
    async with downloads.worker.working():
        await downloads.has(job, JobStatus.SUCCEEDED)
    assert downloads.civitai.host.fetched[-1].start > 0


async def test_death_between_the_file_and_the_end_of_the_job_is_made_up_for(
    downloads: Shop,
) -> None:
    job = await downloads.submit(101)
    target = downloads.handler.wanted(job).target
    target.parent.mkdir()
    target.write_bytes(INK)
    downloads.handler.wanted(job).partial.hardlink_to(target)
    async with downloads.worker.working():
        await downloads.has(job, JobStatus.SUCCEEDED)
    assert downloads.civitai.host.fetched == []
    assert downloads.names() == ["Lora/model_101.safetensors"]


async def test_file_that_came_in_between_is_not_replaced(downloads: Shop) -> None:
    job = await downloads.submit(101)
    target = downloads.handler.wanted(job).target
    target.parent.mkdir()
    target.write_bytes(b"mine")
    async with downloads.worker.working():
        row = await downloads.has(job, JobStatus.FAILED)
    assert row.error == "There is a file model_101.safetensors already."
    assert target.read_bytes() == b"mine"


def _received(downloads: Shop, job: Job) -> int:
    progress = downloads.handler.progress_of(job.id)
    return 0 if progress is None else progress.received_bytes
