"""Tests of `app/library/finished_downloads.py`."""

from datetime import UTC, datetime, timedelta

from app.events import DownloadFinished, EventBus, JobFinished, JobSnapshot
from app.library.finished_downloads import FinishedDownloads
from tests.waiting import until


def job(number: int) -> JobSnapshot:
    return JobSnapshot(f"job-{number}", "download", "somebody", "127.0.0.1", {})


async def test_newest_files_are_kept_each_once() -> None:
    events = EventBus()
    finished = FinishedDownloads(events)
    async with finished.followed():
        assert finished.newest() == ()
        events.publish(DownloadFinished(job(1), file_name="a.safetensors"))
        events.publish(DownloadFinished(job(2), file_name="a.safetensors"))  # shared by two users
        events.publish(JobFinished(job(3), seed=1))
        for number in range(4, 30):
            events.publish(DownloadFinished(job(number), file_name=f"{number}.safetensors"))
        await until(lambda: len(finished.newest()) == 20)
        await until(lambda: finished.newest()[-1].job_id == "job-29")
        assert finished.newest()[0].file_name == "10.safetensors"


async def test_first_of_two_users_counts() -> None:
    events = EventBus()
    finished = FinishedDownloads(events)
    async with finished.followed():
        for number in (1, 2):
            events.publish(DownloadFinished(job(number), file_name="a.safetensors"))
        events.publish(DownloadFinished(job(3), file_name="b.safetensors"))
        await until(lambda: len(finished.newest()) == 2)
        assert [one.job_id for one in finished.newest()] == ["job-1", "job-3"]


async def test_file_that_comes_again_much_later_counts_again() -> None:
    now, events = [datetime(2026, 1, 1, tzinfo=UTC)], EventBus()
    finished = FinishedDownloads(events, lambda: now[0])
    async with finished.followed():
        for number in (1, 2):
            events.publish(DownloadFinished(job(number), file_name="a.safetensors"))
            await until(finished.newest)
            now[0] += timedelta(hours=1)
        await until(lambda: [one.job_id for one in finished.newest()] == ["job-1", "job-2"])
