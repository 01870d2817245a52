"""Tests of `app/web/cached_reads.py`."""

import os
from io import FileIO
from pathlib import Path

import pytest

from app.web.cached_reads import PIECE_BYTES, CachedReads


@pytest.mark.parametrize("size_bytes", [1, PIECE_BYTES, 3 * PIECE_BYTES + 7, 1_000_000])
async def test_pieces_make_the_whole(tmp_path: Path, size_bytes: int) -> None:
    content = os.urandom(size_bytes)
    path = tmp_path / "file"
    path.write_bytes(content)
    reads, found = CachedReads(), b""
    with FileIO(path) as file:
        while piece := await reads.read(file, len(found), size_bytes):
            found += piece
    assert found == content


async def test_no_more_is_read_than_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)))
    with FileIO(path) as file:
        assert await CachedReads().read(file, 100, 3) == b"def"
        assert await CachedReads().read(file, 250, 10) == bytes(range(250, 256))
        assert await CachedReads().read(file, 256, 10) == b""


async def test_what_is_not_in_memory_is_read_from_the_disk(tmp_path: Path) -> None:
    content = os.urandom(1_000_000)
    path = tmp_path / "file"
    path.write_bytes(content)
    reads, found = CachedReads(), b""
    with FileIO(path, "r+") as file:
        os.fsync(file.fileno())
        while True:
            if forget := getattr(os, "posix_fadvise", None):  # only Linux can forget at our wish
                forget(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            piece = await reads.read(file, len(found), len(content))
            if not piece:
                break
            found += piece
    assert found == content


async def test_failed_read_is_an_error(tmp_path: Path) -> None:
    with FileIO(tmp_path / "file", "w") as file, pytest.raises(OSError, match="reading"):
        await CachedReads().read(file, 0, 10)
