"""Tests of `app/library/partial_file.py`; see also those of the transfer."""

import hashlib
from pathlib import Path

import pytest

from app.library.partial_file import PartialFile, Taken


def test_what_is_there_is_read_and_added_to(tmp_path: Path) -> None:
    (tmp_path / "a.part").write_bytes(b"ab")
    partial = PartialFile.open(tmp_path / "a.part")
    partial.read()
    assert partial.size_bytes == 2
    partial.write(b"cd")
    assert partial.sha256 == hashlib.sha256(b"abcd").hexdigest()
    assert partial.finish(tmp_path / "a") == partial.sha256
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"abcd"


def test_beginning_anew_forgets_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.part").write_bytes(b"abcdef")
    partial = PartialFile.open(tmp_path / "a.part")
    partial.read()
    partial.restart()
    partial.write(b"xy")
    assert (partial.size_bytes, partial.sha256) == (2, hashlib.sha256(b"xy").hexdigest())
    partial.finish(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"xy"


def test_existing_file_stays(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    partial = PartialFile.open(tmp_path / "folder" / "a.part")
    partial.write(b"new")
    with pytest.raises(Taken):
        partial.finish(tmp_path / "a")
    partial.remove()
    assert (tmp_path / "a").read_bytes() == b"old"
    assert list((tmp_path / "folder").iterdir()) == []


def test_closed_one_takes_and_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.part").write_bytes(b"ab")
    partial = PartialFile.open(tmp_path / "a.part")
    partial.close()
    partial.read()
    partial.write(b"cd")
    assert partial.size_bytes == 0
    assert (tmp_path / "a.part").read_bytes() == b"ab"
    partial.close()
