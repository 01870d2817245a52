"""Tests of `app/library/model_disk.py`, with a real queue and a simulated Forge."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import NotFound
from app.events import EventBus
from app.jobs.models import JobStatus, Lane
from app.library.model_disk import FileState, ModelDisk, ModelInUse
from app.library.model_folder import ModelFolder, ModelFolderMissing
from app.library.model_shelf import ARCHIVE
from app.library.model_uses import ModelUses
from app.library.models import FileHash, ModelUse
from app.simulator import Simulator
from app.simulator.catalogue import Lora
from tests.building import CHECKPOINT, OTHER_CHECKPOINT, Workshop
from tests.waiting import until

DREAM = f"Stable-diffusion/{CHECKPOINT}.safetensors"
PAINT = f"Stable-diffusion/{OTHER_CHECKPOINT}.safetensors"
INK = "Lora/ink.safetensors"
VAE = "VAE/ae.safetensors"
LANE = Lane.GENERATION


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder `models` with the files that the simulated Forge lists."""
    made = tmp_path / "models"
    for path in (DREAM, PAINT, INK, VAE):
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_bytes(path.encode())
    return made


@contextlib.asynccontextmanager
async def disk_of(shop: Workshop, root: Path, **loaded: Any) -> AsyncIterator[ModelDisk]:
    def last_loaded() -> dict[str, Any]:
        found = shop.loaded.last_known
        return loaded or ({} if found is None else {"model_name": found.checkpoint})

    async def loaded_now() -> dict[str, Any]:
        return last_loaded()

    uses = ModelUses(EventBus(), lambda: shop.catalogue.lists)
    disk = ModelDisk(
        ModelFolder(root),
        shop.catalogue,
        shop.pauses,
        uses,
        last_loaded=last_loaded,
        loaded_now=loaded_now,
    )
    async with disk.working():
        yield disk


@pytest.fixture
async def disk(shop: Workshop, root: Path) -> AsyncIterator[ModelDisk]:
    """The disk, and nothing is loaded."""
    async with disk_of(shop, root) as made:
        yield made


async def states(disk: ModelDisk, **options: Any) -> dict[str, FileState]:
    return {state.file.path: state for state in (await disk.inventory(**options)).files}


def acts(disk: ModelDisk) -> list[Callable[[str], Any]]:
    return [disk.remove, disk.archive]


async def test_inventory_tells_sizes_and_when_each_was_used(disk: ModelDisk, root: Path) -> None:
    used = await ModelUse.create(kind="lora", name="ink", last_used_at="2026-01-02T03:04:05Z")
    await used.refresh_from_db()
    found = await disk.inventory()
    assert found.folder == root
    assert found.disk is not None
    assert 0 < found.disk.free_bytes <= found.disk.total_bytes
    told = await states(disk)
    assert told.keys() == {DREAM, PAINT, INK, VAE}
    assert told[INK].last_used_at == used.last_used_at
    assert told[DREAM].last_used_at is None
    assert told[DREAM].file.size_bytes == len(DREAM)
    assert {state.why_not for state in told.values()} == {None}


async def test_loaded_checkpoint_and_modules_stay(shop: Workshop, root: Path) -> None:
    loaded = {"model_name": CHECKPOINT, "modules": ("ae.safetensors",)}
    async with disk_of(shop, root, **loaded) as disk:
        told = await states(disk)
        assert [path for path, state in told.items() if state.is_loaded] == [DREAM, VAE]
        assert told[DREAM].why_not == "Forge has it loaded."
        for path in (DREAM, VAE):
            for act in acts(disk):
                with pytest.raises(ModelInUse, match="Forge has it loaded"):
                    await act(path)
        await disk.remove(PAINT)
    assert (root / DREAM).exists()
    assert (root / VAE).exists()
    assert not (root / PAINT).exists()


async def test_what_a_job_has_just_loaded_stays(
    shop: Workshop, disk: ModelDisk, root: Path
) -> None:
    await shop.ended(await shop.submit(steps=1))
    with pytest.raises(ModelInUse):
        await disk.remove(DREAM)
    assert (root / DREAM).exists()


async def test_what_a_waiting_or_running_job_names_stays(
    shop: Workshop, simulator: Simulator, disk: ModelDisk, root: Path
) -> None:
    simulator.loras[:] = [Lora("ink.safetensors", {"ss_output_name": "the ink"})]
    running = await shop.submit(steps=150, model_name=OTHER_CHECKPOINT)
    await shop.has_status(running, JobStatus.RUNNING)
    await shop.pauses.pause(LANE)
    await shop.submit(prompt="<lora:ink:1>", modules=["ae.safetensors"])
    await shop.submit(prompt="<lora:ink:1>")
    told = await states(disk)
    assert [path for path, state in told.items() if state.is_waited_for] == [*told]
    assert told[INK].why_not == "2 jobs that wait or run need it."
    assert told[VAE].why_not == "A job that waits or runs needs it."
    for path in (DREAM, PAINT, INK, VAE):
        for act in acts(disk):
            with pytest.raises(ModelInUse, match="path"):
                await act(path)
        assert (root / path).exists()
    await shop.queue.cancel(running.id, caller_id=running.owner_id, is_administrator=True)


async def test_no_job_starts_while_a_file_is_taken_away(shop: Workshop, disk: ModelDisk) -> None:
    async with shop.pauses.gate(LANE):
        removing = asyncio.create_task(disk.remove(DREAM))
        job = await shop.submit(steps=1)
    with pytest.raises(ModelInUse):
        await removing
    await shop.ended(job)


async def test_forge_hears_of_every_change_and_hashes_are_forgotten(
    shop: Workshop, simulator: Simulator, disk: ModelDisk, root: Path
) -> None:
    await FileHash.create(path=INK, size_bytes=1, modified_ns=1, sha256="1" * 64)
    await disk.archive(INK)
    await until(lambda: simulator.calls["POST /sdapi/v1/refresh-checkpoints"] == 1)
    assert not await FileHash.exists()
    assert (root / ARCHIVE / INK).exists()
    assert INK not in await states(disk)
    archived = await states(disk, archived=True)
    assert [*archived] == [INK]
    assert (archived[INK].is_loaded, archived[INK].why_not) == (False, None)


async def test_archived_file_comes_back_or_goes_for_good(disk: ModelDisk, root: Path) -> None:
    await disk.archive(INK)
    await disk.restore(INK)
    assert (root / INK).exists()
    await disk.archive(INK)
    await disk.remove(INK, archived=True)
    assert await states(disk, archived=True) == {}
    for act in (disk.restore, *acts(disk)):
        with pytest.raises(NotFound):
            await act(INK)


async def test_of_two_who_remove_one_file_one_is_told_that_it_is_gone(disk: ModelDisk) -> None:
    done = await asyncio.gather(disk.remove(INK), disk.remove(INK), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["NoneType", "NotFound"]


async def test_missing_folder_is_said(shop: Workshop, tmp_path: Path) -> None:
    async with disk_of(shop, tmp_path / "none") as disk:
        with pytest.raises(ModelFolderMissing):
            await disk.inventory()
