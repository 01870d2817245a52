"""Tests of `app/library/model_keys.py`."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from app.library.file_hashes import FileHashes
from app.library.model_folder import ModelFolder
from app.library.model_keys import ModelKeys

pytestmark = pytest.mark.usefixtures("database")

LORA = {"name": "ink", "path": "/forge/models/Lora/styles/ink.safetensors", "metadata": {}}
INK = hashlib.sha256(b"ink").hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of models with one LoRA and one checkpoint."""
    for path in ("Lora/styles/ink.safetensors", "Stable-diffusion/xl/wide.safetensors"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(b"ink")
    return tmp_path


def keys(root: Path | None, **options: Any) -> ModelKeys:
    """Those of the folder."""
    folder = ModelFolder(root)
    return ModelKeys(folder, FileHashes(folder), **options)


def test_metadata_names_the_hash_itself() -> None:
    told = {"metadata": {"sshs_model_hash": "AAAAbbbbcccc1111222233334444"}}
    assert keys(None).of_lora(told) == "AAAAbbbbcccc"


@pytest.mark.parametrize("told", [None, 5, "", "short", "x$(touch y)y", ["aaaabbbbcccc"]])
async def test_other_metadata_names_none(told: object) -> None:
    assert keys(None).of_lora(LORA | {"metadata": {"sshs_model_hash": told}}) is None
    assert keys(None).of_lora(LORA | {"metadata": told}) is None


@pytest.mark.parametrize(
    "path",
    [
        "/forge/models/Lora/styles/ink.safetensors",
        "C:\\forge\\models\\Lora\\styles\\ink.safetensors",
        "/Lora/forge/models/Lora/styles/ink.safetensors",
        "/forge/models/Lora/Lora/styles/ink.safetensors",
    ],
)
async def test_file_is_found_wherever_forge_sees_it(root: Path, path: str) -> None:
    if "Lora/Lora" in path:
        (root / "Lora" / "styles").rename(root / "styles")
        (root / "Lora" / "Lora").mkdir()
        (root / "styles").rename(root / "Lora" / "Lora" / "styles")
    found = keys(root)
    item = LORA | {"path": path}
    assert found.of_lora(item) is None
    assert not found.is_computed(item)
    await found.compute([item], [])
    assert found.of_lora(item) == INK
    assert found.is_computed(item)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "ink.safetensors",
        "/forge/models/Lora/gone.safetensors",
        "/forge/models/Lora/../../secret",
        "/forge/models/Lora/x$(touch y)y.safetensors",
        "/forge/models/Lora",
    ],
)
async def test_file_that_is_none_of_ours_has_no_hash(root: Path, path: str) -> None:
    (root.parent / "secret").write_bytes(b"secret")
    found = keys(root)
    await found.compute([LORA | {"path": path}], [])
    assert found.of_lora(LORA | {"path": path}) is None
    assert found.is_computed(LORA | {"path": path}) or path == ""
    assert not (Path.cwd() / "y").exists()


async def test_missing_folder_is_no_obstacle(tmp_path: Path) -> None:
    for root in (None, tmp_path / "nowhere"):
        found = keys(root)
        await found.compute([LORA], [])
        assert found.of_lora(LORA) is None


async def test_file_that_appears_is_found_when_it_is_looked_for_anew(root: Path) -> None:
    found = keys(root)
    item = LORA | {"path": "/forge/models/Lora/new.safetensors"}
    await found.compute([item], [])
    (root / "Lora" / "new.safetensors").write_bytes(b"ink")
    await found.compute([item], [])
    assert found.of_lora(item) == INK


async def test_file_that_is_replaced_or_goes_is_read_anew(root: Path) -> None:
    found = keys(root)
    await found.compute([LORA], [])
    revision = found.revision
    await found.compute([LORA], [])
    assert found.revision == revision
    (root / "Lora" / "styles" / "ink.safetensors").write_bytes(b"another ink")
    await found.compute([LORA], [])
    assert found.of_lora(LORA) == hashlib.sha256(b"another ink").hexdigest()
    (root / "Lora" / "styles" / "ink.safetensors").unlink()
    await found.compute([LORA], [])
    assert found.of_lora(LORA) is None
    assert found.revision == revision + 2


async def test_checkpoint_is_known_by_what_forge_says_else_read_while_nobody_draws(
    root: Path,
) -> None:
    busy = [True, True, False]
    pauses_s: list[float] = []

    async def sleep(pause_s: float) -> None:
        pauses_s.append(pause_s)

    found = keys(root, is_idle=lambda: not busy.pop(0), sleep=sleep)
    told = {"sha256": "AB" * 32, "filename": "/forge/models/Stable-diffusion/other.safetensors"}
    assert found.of_checkpoint(told) == "ab" * 32
    item = {"sha256": None, "filename": "/forge/models/Stable-diffusion/xl/wide.safetensors"}
    await asyncio.wait_for(found.compute([], [told, item]), 10)
    assert found.of_checkpoint(item) == INK
    assert len(pauses_s) == 2
