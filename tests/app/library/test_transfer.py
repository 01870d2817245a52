"""Tests of `app/library/transfer.py`, over real HTTP onto a real disk."""

import asyncio
import errno
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from app.errors import UpstreamFailed, UpstreamUnavailable
from app.library.partial_file import Taken
from app.library.transfer import Transfer, Wanted
from tests.app.library.fetching import (
    CONTENT,
    SHA256,
    fetch,
    left,
    nothing,
    transfer_from,
)
from tests.conventions.tree import PROJECT
from tests.fakes.file_host import Cut, Endless, FileHost, Redirect, Stalled, Trick
from tests.fakes.serving import Fault
from tests.waiting import until


async def test_file_is_fetched_and_checked(host: FileHost, wanted: Wanted) -> None:
    told: list[tuple[int, int | None]] = []
    async with transfer_from(host.url) as transfer:
        sha256 = await transfer.run(wanted, progress=lambda *now: told.append(now))
    assert sha256 == SHA256
    assert wanted.target.read_bytes() == CONTENT
    assert left(wanted) == ["ink.safetensors"]
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)


async def test_connection_that_breaks_is_continued(host: FileHost, wanted: Wanted) -> None:
    host.tricks["file"] = [Cut(2_000_000), Cut(500_000), Stalled(1_000_000), Fault(503)]
    pauses_s: list[float] = []
    async with transfer_from(host.url, pauses_s=pauses_s) as transfer:
        await transfer.run(wanted, progress=nothing)
    assert wanted.target.read_bytes() == CONTENT
    assert [one.start for one in host.fetched] == [0, 2_000_000, 2_500_000, 3_500_000, 3_500_000]
    assert pauses_s == [1.0, 1.0, 1.0, 3.0]


async def test_host_that_is_away_for_long_is_told_and_nothing_is_lost(
    host: FileHost, wanted: Wanted
) -> None:
    host.tricks["file"] = [Cut(2_000_000), *[Fault(503)] * 4]
    with pytest.raises(UpstreamUnavailable):
        await fetch(host, wanted)
    assert left(wanted) == ["ink.safetensors.abc.part"]
    assert await fetch(host, wanted) == SHA256
    assert host.fetched[-1].start == 2_000_000


async def test_part_of_another_file_is_not_continued(host: FileHost, wanted: Wanted) -> None:
    host.tricks["file"] = [Cut(2_000_000), *[Fault(503)] * 4]
    with pytest.raises(UpstreamUnavailable):
        await fetch(host, wanted)
    await fetch(host, replace(wanted, key="xyz"))
    assert host.fetched[-1].start == 0


async def test_whole_part_is_only_renamed(host: FileHost, wanted: Wanted) -> None:
    wanted.partial.parent.mkdir()
    wanted.partial.write_bytes(CONTENT)
    assert await fetch(host, wanted) == SHA256
    assert host.fetched == []


async def test_host_that_cannot_continue_sends_all_again(host: FileHost, wanted: Wanted) -> None:
    host.continues = False
    host.tricks["file"] = [Cut(2_000_000)]
    assert await fetch(host, wanted) == SHA256


async def test_unknown_size_and_hash_are_no_obstacle(host: FileHost, wanted: Wanted) -> None:
    host.tells_length = False
    told: list[int | None] = []
    async with transfer_from(host.url) as transfer:
        plain = replace(wanted, size_bytes=None, sha256=None)
        assert await transfer.run(plain, progress=lambda _, size: told.append(size)) == SHA256
    assert set(told) == {None}


@pytest.mark.parametrize(
    ("trick", "told"),
    [
        (Fault(200, b"short", {"Content-Type": "x/y"}), "another size"),
        (Fault(200, bytes(len(CONTENT)), {"Content-Type": "x/y"}), "SHA-256"),
        (Fault(200, CONTENT + bytes(5000), {"Content-Type": "x/y"}), "another size"),
        (Fault(200, b"<html>", {"Content-Type": "text/html"}), "page"),
        (Fault(200, b"1f8b", {"Content-Type": "x/y", "Content-Encoding": "gzip"}), "packed"),
        (Endless(), "more than it said"),
        (Redirect("http://127.0.0.1:1/x"), "TLS"),
        (Redirect("https://127.0.0.1:1/x"), "not public"),
        (Fault(403), "does not give us"),
    ],
)
async def test_lie_leaves_no_file(host: FileHost, wanted: Wanted, trick: Trick, told: str) -> None:
    host.tricks["file"] = [trick]
    with pytest.raises(UpstreamFailed, match=told):
        await fetch(host, wanted)
    assert "ink.safetensors" not in left(wanted)


async def test_wrong_part_is_thrown_away_and_the_next_run_begins_anew(
    host: FileHost, wanted: Wanted
) -> None:
    wanted.partial.parent.mkdir()
    wanted.partial.write_bytes(b"x" * 1000)
    assert await fetch(host, wanted) == SHA256
    assert [one.start for one in host.fetched] == [1000, 0]


async def test_refusal_keeps_what_is_there(host: FileHost, wanted: Wanted) -> None:
    host.tricks["file"] = [Cut(2_000_000), Fault(403)]
    with pytest.raises(UpstreamFailed):
        await fetch(host, wanted)
    assert left(wanted) == ["ink.safetensors.abc.part"]
    assert await fetch(host, wanted) == SHA256
    assert host.fetched[-1].start == 2_000_000


async def test_file_without_a_hash_is_not_put_together_of_two(
    host: FileHost, wanted: Wanted
) -> None:
    host.tricks["file"] = [Cut(2_000_000)]
    assert await fetch(host, replace(wanted, sha256=None)) == SHA256
    assert [one.start for one in host.fetched] == [0, 0]


async def test_host_says_how_long_to_wait(host: FileHost, wanted: Wanted) -> None:
    host.tricks["file"] = [Fault(429, headers={"Retry-After": "42"})]
    pauses_s: list[float] = []
    async with transfer_from(host.url, pauses_s=pauses_s) as transfer:
        await transfer.run(wanted, progress=nothing)
    assert pauses_s == [42.0]


async def test_empty_file_is_none(host: FileHost, wanted: Wanted) -> None:
    host.files["file"] = b""
    with pytest.raises(UpstreamFailed, match="empty"):
        await fetch(host, replace(wanted, size_bytes=None, sha256=None))


async def test_file_of_that_name_is_not_replaced(host: FileHost, wanted: Wanted) -> None:
    wanted.target.parent.mkdir()
    wanted.target.write_bytes(b"mine")
    with pytest.raises(Taken):
        await fetch(host, wanted)
    assert wanted.target.read_bytes() == b"mine"


async def test_file_system_without_hard_links_works_the_same(
    host: FileHost, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    assert await fetch(host, wanted) == SHA256
    with pytest.raises(Taken):
        await fetch(host, wanted)


async def test_one_who_cancels_keeps_or_discards_what_is_there(
    host: FileHost, wanted: Wanted
) -> None:
    host.tricks["file"] = [Stalled(2_000_000)]
    async with transfer_from(host.url) as transfer:
        seen: list[int] = []
        task = asyncio.create_task(transfer.run(wanted, progress=lambda now, _: seen.append(now)))
        await until(lambda: bool(seen and seen[-1] > 0))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert left(wanted) == ["ink.safetensors.abc.part"]
        Transfer.discard(wanted)
        Transfer.discard(wanted)
        assert left(wanted) == []


@pytest.mark.posix
async def test_kill_in_the_middle_leaves_a_part_that_is_continued(
    host: FileHost, wanted: Wanted
) -> None:
    host.tricks["file"] = [Stalled(2_000_000)]
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from app.library.transfer import Wanted\n"
        "from tests.app.library.fetching import transfer_from\n"
        "async def main():\n"
        "    url, target, sha256, size = sys.argv[1:]\n"
        "    async with transfer_from(url.rpartition('/')[0]) as transfer:\n"
        "        wanted = Wanted(url, Path(target), 'abc', int(size), sha256)\n"
        "        await transfer.run(wanted, progress=lambda *now: print(*now, flush=True))\n"
        "asyncio.run(main())\n"
    )
    arguments = [wanted.url, str(wanted.target), SHA256, str(len(CONTENT))]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *arguments, cwd=PROJECT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    while not (await process.stdout.readline()).startswith(b"1"):
        pass
    process.kill()
    await process.wait()
    process._transport.close()  # type: ignore[attr-defined]
    assert left(wanted) == ["ink.safetensors.abc.part"]
    assert await fetch(host, wanted) == SHA256
    assert host.fetched[-1].start > 0
