"""Tests of `app/library/duplicates.py`: what is on the disk is not fetched again."""

import pytest

from app.jobs.models import JobStatus
from app.library.duplicates import ALREADY, AlreadyDownloaded
from app.library.file_hashes import FileHashes
from tests.app.library.downloading import INK, Shop

pytestmark = pytest.mark.usefixtures("owner")


async def test_file_that_is_there_is_not_fetched_again(downloads: Shop) -> None:
    async with downloads.worker.working():
        await downloads.has(await downloads.submit(101), JobStatus.SUCCEEDED)
        with pytest.raises(AlreadyDownloaded):
            await downloads.submit(101)
    path = downloads.root / "Lora" / "model_101.safetensors"
    path.rename(path.with_name("renamed by the owner.safetensors"))
    with pytest.raises(AlreadyDownloaded):
        await downloads.submit(101)


async def test_file_that_the_owner_put_there_is_known_by_its_hash(downloads: Shop) -> None:
    (downloads.root / "Lora" / "mine").mkdir(parents=True)
    (downloads.root / "Lora" / "mine" / "ink.safetensors").write_bytes(INK)
    async with downloads.worker.working():
        row = await downloads.has(await downloads.submit(101), JobStatus.FAILED)
    assert row.error == ALREADY
    assert downloads.civitai.host.fetched == []
    with pytest.raises(AlreadyDownloaded):  # what was read once is known
        await downloads.submit(101)


async def test_nothing_is_read_before_a_wish_is_answered(
    downloads: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (downloads.root / "Lora").mkdir()
    (downloads.root / "Lora" / "mine.safetensors").write_bytes(INK)
    monkeypatch.setattr(FileHashes, "sha256", None)
    await downloads.submit(101)


async def test_of_a_file_of_no_size_no_other_is_read(
    downloads: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads.civitai.offer(101, INK, sizeKB=None)
    (downloads.root / "Lora").mkdir()
    (downloads.root / "Lora" / "mine.safetensors").write_bytes(INK)
    monkeypatch.setattr(FileHashes, "sha256", None)
    async with downloads.worker.working():
        await downloads.has(await downloads.submit(101), JobStatus.SUCCEEDED)


async def test_file_without_a_hash_is_known_by_name_and_size(downloads: Shop) -> None:
    downloads.civitai.offer(101, INK, hashes={})
    async with downloads.worker.working():
        await downloads.has(await downloads.submit(101), JobStatus.SUCCEEDED)
    with pytest.raises(AlreadyDownloaded):
        await downloads.submit(101)
