"""Tests of `app/generation/thumbnail_cache.py`: bounded, and never more than a cache."""

import errno
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.generation.thumbnail_cache import ThumbnailCache


def webp(size_bytes: int = 100, filling: bytes = b"x") -> bytes:
    """Bytes that look like a WebP of this length."""
    body = b"WEBP" + filling * (size_bytes - 12)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def used_at(folder: Path, name: str, age_s: float) -> None:
    """Makes it look as if the thumbnail was last used so long ago."""
    path = folder / name[:2] / f"{name}.webp"
    os.utime(path, (time.time() - age_s,) * 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "thumbnails"


@pytest.fixture
def cache(folder: Path) -> ThumbnailCache:
    return ThumbnailCache(folder, max_bytes=1000)


def test_what_was_written_is_read(cache: ThumbnailCache, folder: Path) -> None:
    assert cache.read("abc-256") is None
    cache.write("abc-256", webp())
    assert cache.read("abc-256") == webp()
    assert files(folder) == ["abc-256.webp"]
    cache.write("abc-256", webp(300))
    assert cache.read("abc-256") == webp(300)
    assert cache.total_bytes == 300


def test_longest_unused_go_first(cache: ThumbnailCache, folder: Path) -> None:
    for name in ("a1-128", "b1-128", "c1-128"):
        cache.write(name, webp(300))
    assert cache.read("a1-128") is not None
    cache.write("d1-128", webp(300))
    assert files(folder) == ["a1-128.webp", "c1-128.webp", "d1-128.webp"]
    cache.write("e1-128", webp(900))
    assert files(folder) == ["e1-128.webp"]
    assert cache.total_bytes == 900


def test_one_that_is_larger_than_everything_pushes_nothing_out(
    cache: ThumbnailCache, folder: Path
) -> None:
    cache.write("a1-128", webp(300))
    cache.write("b1-128", webp(1001))
    assert files(folder) == ["a1-128.webp"]


def test_bound_of_nothing_keeps_nothing(folder: Path) -> None:
    cache = ThumbnailCache(folder, max_bytes=0)
    cache.write("a1-128", webp())
    assert cache.read("a1-128") is None
    assert not folder.exists()


def test_restart_remembers_what_was_used_when(cache: ThumbnailCache, folder: Path) -> None:
    for name in ("a1-128", "b1-128", "c1-128"):
        cache.write(name, webp(300))
    for name, age_s in (("a1-128", 50_000), ("b1-128", 90_000), ("c1-128", 70_000)):
        used_at(folder, name, age_s)
    assert cache.read("b1-128") is not None
    later = ThumbnailCache(folder, max_bytes=1000)
    later.scan()
    assert later.total_bytes == 900
    later.write("d1-128", webp(300))
    assert files(folder) == ["a1-128.webp", "b1-128.webp", "d1-128.webp"]


def test_smaller_bound_holds_after_a_restart(cache: ThumbnailCache, folder: Path) -> None:
    for number, name in enumerate(("a1-128", "b1-128", "c1-128")):
        cache.write(name, webp(300))
        used_at(folder, name, 50_000 - number)
    later = ThumbnailCache(folder, max_bytes=400)
    later.scan()
    assert (files(folder), later.total_bytes) == (["c1-128.webp"], 300)


def test_scan_may_come_after_the_first_requests(cache: ThumbnailCache, folder: Path) -> None:
    for name in ("a1-128", "b1-128"):
        cache.write(name, webp(300))
        used_at(folder, name, 50_000)
    later = ThumbnailCache(folder, max_bytes=1000)
    assert later.read("b1-128") == webp(300)
    later.write("a1-128", webp(200))
    later.write("c1-128", webp(400))
    later.scan()
    assert later.total_bytes == 900
    later.write("d1-128", webp(300))
    assert files(folder) == ["a1-128.webp", "c1-128.webp", "d1-128.webp"]


def test_scan_of_no_folder_finds_nothing(cache: ThumbnailCache) -> None:
    cache.scan()
    assert cache.total_bytes == 0


def test_what_a_crash_left_half_written_is_removed(cache: ThumbnailCache, folder: Path) -> None:
    cache.write("a1-128", webp())
    (folder / "a1" / "a1-256.webp.0123abcd.partial").write_bytes(webp()[:50])
    later = ThumbnailCache(folder, max_bytes=1000)
    later.scan()
    assert files(folder) == ["a1-128.webp"]


@pytest.mark.parametrize("left", [b"", bytes(100), webp()[:-1], webp() + b"x", b"RIFF"])
def test_what_a_power_cut_left_is_not_served(
    cache: ThumbnailCache, folder: Path, left: bytes
) -> None:
    cache.write("a1-128", webp())
    (folder / "a1" / "a1-128.webp").write_bytes(left)
    assert cache.read("a1-128") is None
    cache.write("a1-128", webp())
    assert (cache.read("a1-128"), cache.total_bytes) == (webp(), 100)


def test_removal_takes_all_sizes_and_nothing_else(cache: ThumbnailCache, folder: Path) -> None:
    for name in ("abc-0-128", "abc-0-256", "abc-1-128", "abcd-0-128", "ab-0-128"):
        cache.write(name, webp())
    cache.remove("abc")
    cache.remove("unknown")
    assert files(folder) == ["ab-0-128.webp", "abcd-0-128.webp"]
    assert cache.total_bytes == 200


def test_removal_works_before_the_scan(cache: ThumbnailCache, folder: Path) -> None:
    cache.write("abc-0-128", webp())
    ThumbnailCache(folder, max_bytes=1000).remove("abc")
    assert files(folder) == []
    assert cache.read("abc-0-128") is None
    assert cache.total_bytes == 0


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    yield
    monkeypatch.undo()


@pytest.mark.usefixtures("full_disk")
def test_full_disk_is_told_once_and_leaves_nothing(
    cache: ThumbnailCache, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for name in ("a1-128", "b1-128"):
            cache.write(name, webp())
            assert cache.read(name) is None
    assert files(folder) == []
    assert cache.total_bytes == 0
    assert [record.message for record in caplog.records] == [
        "thumbnails cannot be kept: [Errno 28] No space left on device"
    ]


def test_folder_that_cannot_be_used_is_no_obstacle(folder: Path) -> None:
    folder.write_text("in the way")
    cache = ThumbnailCache(folder, max_bytes=1000)
    cache.scan()
    cache.write("a1-128", webp())
    assert cache.read("a1-128") is None
    cache.remove("a1")
