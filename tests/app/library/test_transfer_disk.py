"""Tests of `app/library/transfer.py`: disks that are full, read-only or missing."""

import asyncio
import errno
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.library import partial_file
from app.library.transfer import FolderRefuses, LowStorage, Wanted
from tests.app.library.fetching import (
    fetch,
    left,
    nothing,
    transfer_from,
)
from tests.fakes.file_host import Cut, Endless, FileHost


@pytest.mark.parametrize(
    ("usage", "size_bytes"),
    [((1000, 0, 99), 10), ((10**12, 0, 10**12 // 2), 10**12)],
    ids=["less than a tenth free", "larger than what is free"],
)
async def test_full_disk_is_told_before_anything_is_asked(
    host: FileHost, wanted: Wanted, usage: tuple[int, int, int], size_bytes: int
) -> None:
    async with transfer_from(host.url, disk_usage=lambda _: usage) as transfer:
        with pytest.raises(LowStorage):
            await transfer.run(replace(wanted, size_bytes=size_bytes), progress=nothing)
    assert host.fetched == []
    assert left(wanted) == []


async def test_what_it_has_taken_of_the_disk_is_not_held_against_it(
    host: FileHost, wanted: Wanted
) -> None:
    host.tricks["file"] = [Cut(3_000_000)]
    free_bytes = 7_000_000

    def usage(_: Path) -> tuple[int, int, int]:
        taken = wanted.partial.stat().st_size if wanted.partial.exists() else 0
        return 60_000_000, 0, free_bytes - taken

    async with transfer_from(host.url, disk_usage=usage) as transfer:
        await transfer.run(wanted, progress=nothing)
    assert left(wanted) == ["ink.safetensors"]


async def test_body_without_end_stops_before_the_disk_is_full(
    host: FileHost, wanted: Wanted
) -> None:
    host.tricks["file"] = [Endless()]
    free = iter([900, 500, 49])
    async with transfer_from(host.url, disk_usage=lambda _: (1000, 0, next(free))) as transfer:
        with pytest.raises(LowStorage):
            await transfer.run(replace(wanted, size_bytes=None), progress=nothing)
    assert left(wanted) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
async def test_disk_that_refuses_in_the_middle_is_told(
    host: FileHost, wanted: Wanted, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(partial_file.PartialFile, "write", refuse)
    with pytest.raises(LowStorage if number == errno.ENOSPC else FolderRefuses):
        await fetch(host, wanted)
    assert "ink.safetensors" not in left(wanted)
    assert (left(wanted) == []) is (number == errno.ENOSPC)


async def test_one_who_is_stopped_while_a_part_is_opened_leaves_none_open(
    host: FileHost, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end, really = threading.Event(), threading.Event(), os.open

    def slowly(path: Any, *args: Any, **options: Any) -> int:
        if str(path) == str(wanted.partial):
            begun.set()
            may_end.wait(10)
        return really(path, *args, **options)

    monkeypatch.setattr(os, "open", slowly)
    fetching = asyncio.create_task(fetch(host, wanted))
    await asyncio.to_thread(begun.wait, 10)
    fetching.cancel()
    asyncio.get_running_loop().call_later(0.1, may_end.set)
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert may_end.is_set()
    assert left(wanted) == [wanted.partial.name]


@pytest.mark.posix
async def test_folder_that_cannot_be_made_is_named(host: FileHost, wanted: Wanted) -> None:
    wanted.target.parent.write_text("in the way")
    with pytest.raises(FolderRefuses, match="Lora"):
        await fetch(host, wanted)


async def test_folder_of_a_disk_that_is_missing_is_not_made(host: FileHost, wanted: Wanted) -> None:
    wanted.target.parent.parent.rmdir()
    with pytest.raises(FolderRefuses, match="Lora"):
        await fetch(host, wanted)
    assert not wanted.target.parent.parent.exists()
