"""Tests of `app/files.py`."""

import errno
import os
import stat
from pathlib import Path

import pytest

from app.files import flush_folder, write_flushed


def test_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_flushed(path, b"long first")
    write_flushed(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.posix
def test_private_file_is_its_owners_whatever_a_crash_left(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    leftover = tmp_path / "secret.partial"
    leftover.write_bytes(b"x")
    leftover.chmod(0o666)
    write_flushed(path, b"y", private=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.posix
def test_file_is_flushed_before_it_appears_and_its_folders_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new" / "file"
    flushed: list[tuple[int, bool]] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        flushed.append((os.fstat(descriptor).st_ino, path.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    write_flushed(path, b"content")
    inodes = [each.stat().st_ino for each in (tmp_path, path, path.parent)]
    assert flushed == list(zip(inodes, (False, False, True), strict=True))


def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_flushed(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_flushed(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file.partial").mkdir()
    for private in (False, True):
        with pytest.raises(OSError, match=r"file\.partial"):
            write_flushed(tmp_path / "file", b"", private=private)


@pytest.mark.posix
def test_folder_that_cannot_be_flushed_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answering(code: int) -> None:
        def fsync(_descriptor: int) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, "fsync", fsync)

    answering(errno.EINVAL)
    flush_folder(tmp_path)
    answering(errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        flush_folder(tmp_path)
