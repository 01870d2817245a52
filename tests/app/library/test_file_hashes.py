"""Tests of `app/library/file_hashes.py`, on both databases."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from app.library.file_hashes import FileHashes
from app.library.model_folder import ModelFolder
from app.library.models import PATH_CHARS, FileHash

pytestmark = pytest.mark.usefixtures("database")

INK = hashlib.sha256(b"ink").hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A LoRA."""
    made = tmp_path / "models" / "Lora" / "ink.safetensors"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"ink")
    return made


@pytest.fixture
def hashes(file: Path) -> FileHashes:
    """Those of the folder with that LoRA."""
    return FileHashes(ModelFolder(file.parent.parent))


async def test_hash_is_remembered_until_the_file_changes(hashes: FileHashes, file: Path) -> None:
    assert await hashes.sha256(file) == INK
    await FileHash.filter(path="Lora/ink.safetensors").update(sha256="1" * 64)
    assert await hashes.sha256(file) == "1" * 64
    file.write_bytes(b"another ink")
    assert await hashes.sha256(file) == hashlib.sha256(b"another ink").hexdigest()
    assert await FileHash.all().count() == 1


async def test_change_of_the_same_size_is_noticed(hashes: FileHashes, file: Path) -> None:
    await hashes.sha256(file)
    file.write_bytes(b"kni")
    os.utime(file, ns=(1, 1))
    assert await hashes.sha256(file) == hashlib.sha256(b"kni").hexdigest()


async def test_hash_of_a_written_file_is_not_computed(hashes: FileHashes, file: Path) -> None:
    await hashes.remember(file, "AB" * 32)
    assert await hashes.sha256(file) == "ab" * 32


async def test_those_who_ask_at_once_wait_for_the_same(hashes: FileHashes, file: Path) -> None:
    assert set(await asyncio.gather(*(hashes.sha256(file) for _ in range(20)))) == {INK}
    assert await FileHash.all().count() == 1


async def test_one_who_goes_away_does_not_stop_it_for_the_others(
    hashes: FileHashes, file: Path
) -> None:
    first = asyncio.create_task(hashes.sha256(file))
    second = asyncio.create_task(hashes.sha256(file))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == INK


async def test_file_that_is_gone_is_told(hashes: FileHashes, file: Path) -> None:
    file.unlink()
    with pytest.raises(FileNotFoundError):
        await hashes.sha256(file)


async def test_event_loop_goes_on_meanwhile(hashes: FileHashes, file: Path) -> None:
    file.write_bytes(bytes(50_000_000))
    task = asyncio.create_task(hashes.sha256(file))
    turns = 0
    while not task.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 5


async def test_closing_stops_reading(hashes: FileHashes, file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(50_000_000_000)  # a hole: takes no room, but minutes to read
    task = asyncio.create_task(hashes.sha256(file))
    await asyncio.sleep(0.1)
    await hashes.close()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_long_path_has_a_hash_but_is_not_remembered(hashes: FileHashes, file: Path) -> None:
    deep = file.parent.joinpath(*["d" * 100] * 8, "ink.safetensors")
    assert len(str(deep.relative_to(file.parent.parent))) > PATH_CHARS
    deep.parent.mkdir(parents=True)
    deep.write_bytes(b"ink")
    assert await hashes.sha256(deep) == INK
    assert await FileHash.all().count() == 0
