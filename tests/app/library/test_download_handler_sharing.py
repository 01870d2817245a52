"""Tests of `app/library/download_handler.py`: several jobs for one file, on both databases."""

import pytest

from app.accounts.models import User
from app.events import DownloadFinished, JobEvent, JobStarted
from app.jobs.models import Job, JobStatus
from tests.app.library.downloading import Shop
from tests.building import OWNER, STRANGER, make_user
from tests.fakes.file_host import Stalled
from tests.fakes.serving import Fault
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("large")

PATH = "api/download/models/101"


@pytest.fixture
async def large(downloads: Shop) -> User:
    """Somebody else, and a file of 3 MB."""
    downloads.civitai.offer(101, bytes(range(256)) * 12_000)
    return await make_user(STRANGER)


async def test_one_who_stops_a_second_job_for_a_file_leaves_the_first_alone(
    downloads: Shop,
) -> None:
    first = await downloads.submit(101)
    await Job.filter(id=first.id).update(status=JobStatus.FAILED)
    second = await downloads.submit(101)
    downloads.civitai.host.tricks[PATH] = [Stalled(1_500_000)] * 50
    async with downloads.worker.working():
        await until(lambda: _received(downloads, second) > 0)
        await downloads.queue.retry(first.id, caller_id=OWNER, is_administrator=False)
        await downloads.has(first, JobStatus.RUNNING)
        await downloads.queue.cancel(first.id, caller_id=OWNER, is_administrator=False)
        await downloads.has(first, JobStatus.CANCELLED)
        assert downloads.names() == ["Lora/model_101.safetensors.101.part"]
        downloads.civitai.host.tricks.clear()
        await downloads.has(second, JobStatus.SUCCEEDED)


async def test_two_jobs_for_the_same_file_take_turns(downloads: Shop) -> None:
    failed = await downloads.submit(101)
    downloads.civitai.host.tricks[PATH] = [Fault(403), Stalled(1_500_000)]
    async with downloads.worker.working():
        await downloads.has(failed, JobStatus.FAILED)
        other = await downloads.submit(101)
        assert other.id != failed.id
        await until(lambda: _received(downloads, other) > 0)
        await downloads.queue.retry(failed.id, caller_id=OWNER, is_administrator=False)
        await downloads.has(other, JobStatus.SUCCEEDED)
        await downloads.has(failed, JobStatus.SUCCEEDED)
    assert downloads.names() == ["Lora/model_101.safetensors"]


async def test_one_who_wished_second_sees_how_it_goes_and_goes_on_alone(downloads: Shop) -> None:
    first, second = await downloads.submit(101), await downloads.submit(101, STRANGER)
    downloads.civitai.host.tricks[PATH] = [Stalled(1_500_000)]
    async with downloads.heard() as told, downloads.worker.working():
        await until(lambda: _received(downloads, first) > 0)
        await until(lambda: _received(downloads, second) > 0)
        await downloads.queue.cancel(first.id, caller_id=OWNER, is_administrator=False)
        await downloads.has(first, JobStatus.CANCELLED)
        await downloads.has(second, JobStatus.SUCCEEDED)
    of_second = [
        type(event) for event in told if isinstance(event, JobEvent) and event.job.id == second.id
    ]
    assert (of_second[0], of_second[-1]) == (JobStarted, DownloadFinished)
    assert downloads.civitai.host.fetched[-1].start > 0
    assert downloads.names() == ["Lora/model_101.safetensors"]


async def test_one_whose_turn_has_not_come_goes_on_where_another_stopped(downloads: Shop) -> None:
    first, busy = await downloads.submit(101), await downloads.submit(201)
    second = await downloads.submit(101, STRANGER)
    for path in (PATH, "api/download/models/201"):
        downloads.civitai.host.tricks[path] = [Stalled(1000)] * 1000
    async with downloads.worker.working():
        await until(lambda: _received(downloads, first) > 0)
        await downloads.has(busy, JobStatus.RUNNING)
        await downloads.queue.cancel(first.id, caller_id=OWNER, is_administrator=False)
        await downloads.has(first, JobStatus.CANCELLED)
        downloads.civitai.host.tricks[PATH].clear()
        await downloads.has(second, JobStatus.SUCCEEDED)
    starts = [one.start for one in downloads.civitai.host.fetched if one.path == PATH]
    assert starts.count(0) == 1


async def test_all_who_share_it_stop_and_nothing_is_left(downloads: Shop) -> None:
    first, second = await downloads.submit(101), await downloads.submit(101, STRANGER)
    downloads.civitai.host.tricks[PATH] = [Stalled(1000)] * 1000
    async with downloads.worker.working():
        await until(lambda: _received(downloads, second) > 0)
        for job in (first, second):
            await downloads.queue.cancel(job.id, caller_id=job.owner_id, is_administrator=False)
        for job in (first, second):
            await downloads.has(job, JobStatus.CANCELLED)
    assert downloads.names() == []


def _received(downloads: Shop, job: Job) -> int:
    progress = downloads.handler.progress_of(job.id)
    return 0 if progress is None else progress.received_bytes
