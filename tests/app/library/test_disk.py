"""Tests of `app/library/disk.py`: telling once that a disk gets full."""

import asyncio
import logging
from pathlib import Path

import pytest

from app.events import DiskLow, Event, EventBus
from app.library.disk import DiskUsage, DiskWatch, measured
from tests.waiting import until

TOTAL = 1000


class Disk:
    """A disk that a test fills; `free` None is one that cannot be looked at."""

    def __init__(self, free: int | None) -> None:
        self.free = free
        self.looks = 0

    def __call__(self, folder: Path) -> DiskUsage:
        self.looks += 1
        if self.free is None:
            raise OSError(5, "Input/output error")
        return DiskUsage(self.free, TOTAL)

    async def looked_at(self) -> None:
        """Returns when it was looked at, and that was judged."""
        looks = self.looks
        await until(lambda: self.looks >= looks + 2)


def told(heard: asyncio.Queue[Event]) -> list[Event]:
    return [heard.get_nowait() for _ in range(heard.qsize())]


async def test_usage_is_that_of_the_disk_with_the_folder(tmp_path: Path) -> None:
    usage = await DiskWatch(EventBus(), tmp_path).usage()
    assert 0 < usage.free_bytes < usage.total_bytes
    assert usage.total_bytes == measured(tmp_path).total_bytes
    assert 0 < usage.free_fraction < 1


def test_disk_without_a_size_is_not_low() -> None:
    assert DiskUsage(0, 0).free_fraction == 1


async def test_low_disk_is_told_once_and_again_only_after_it_had_recovered(tmp_path: Path) -> None:
    events, disk = EventBus(), Disk(100)
    watch = DiskWatch(events, tmp_path, measure=disk, look_s=0.001)
    async with events.subscribed() as heard, watch.watched():
        for free, expected in [
            (100, []),  # a tenth is not below a tenth
            (99, [DiskLow(99, TOTAL)]),
            (5, []),
            (120, []),
            (99, []),
            (121, []),
            (98, [DiskLow(98, TOTAL)]),
        ]:
            disk.free = free
            await disk.looked_at()
            assert told(heard) == expected, free
        assert watch.last_seen == DiskUsage(98, TOTAL)


async def test_disk_that_cannot_be_looked_at_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = Disk(None)
    watch = DiskWatch(EventBus(), tmp_path, measure=disk, look_s=0.001)
    with caplog.at_level(logging.WARNING, "app.library.disk"):
        async with watch.watched():
            await disk.looked_at()
            await disk.looked_at()
            assert watch.last_seen is None
            disk.free = 500
            await disk.looked_at()
            assert watch.last_seen == DiskUsage(500, TOTAL)
            disk.free = None
            await disk.looked_at()
    assert [record.getMessage() for record in caplog.records] == [
        "the disk of the data folder cannot be looked at: [Errno 5] Input/output error"
    ] * 2


async def test_folder_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gone"):
        await DiskWatch(EventBus(), tmp_path / "gone").usage()
