"""Tests of `app/simulator/models_dir.py`."""

import hashlib
import json
from pathlib import Path

import aiohttp
import pytest

from app.simulator import Simulator, SimulatorOptions
from app.simulator.models_dir import FolderCatalogue, safetensors_metadata

API = "/sdapi/v1"


def safetensors(path: Path, metadata: dict[str, str]) -> Path:
    """Writes a file with a header and no weights."""
    header = json.dumps({"__metadata__": metadata}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder `models` with one file of each kind."""
    made = tmp_path / "models"
    safetensors(made / "Stable-diffusion" / "xl" / "wide.safetensors", {})
    safetensors(made / "Lora" / "ink.safetensors", {"ss_output_name": "ink_alias"})
    safetensors(made / "VAE" / "vivid.safetensors", {})
    safetensors(made / "text_encoder" / "clip.safetensors", {})
    safetensors(tmp_path / "embeddings" / "calm.safetensors", {})
    (made / "Lora" / "ink.txt").write_text("notes")
    return made


def test_files_are_listed_by_their_folders(folder: Path) -> None:
    disk = FolderCatalogue(folder=folder)
    disk.look()
    (checkpoint,) = disk.checkpoints
    content = (folder / "Stable-diffusion" / "xl" / "wide.safetensors").read_bytes()
    assert checkpoint.model_name == "xl_wide"
    assert checkpoint.filename == f"{folder}/Stable-diffusion/xl/wide.safetensors"
    assert checkpoint.sha256 == hashlib.sha256(content).hexdigest()
    assert [module.filename for module in disk.modules] == [
        f"{folder}/VAE/vivid.safetensors",
        f"{folder}/text_encoder/clip.safetensors",
    ]
    (lora,) = disk.loras
    assert (lora.alias, lora.shown()["path"]) == ("ink_alias", f"{folder}/Lora/ink.safetensors")
    assert [embedding.name for embedding in disk.embeddings] == ["calm"]


async def test_new_files_are_seen_after_a_refresh_and_the_loaded_one_stays(folder: Path) -> None:
    instant = SimulatorOptions(step_time_s=0, checkpoint_load_time_s=0, draw=False)
    simulator = Simulator(instant, FolderCatalogue(folder=folder))
    async with simulator.serving(), aiohttp.ClientSession(simulator.url) as http:
        await http.post(f"{API}/txt2img", json={"prompt": "a fox", "steps": 1})
        safetensors(folder / "Lora" / "new.safetensors", {})
        safetensors(folder / "Stable-diffusion" / "new.safetensors", {})
        safetensors(folder.parent / "embeddings" / "new.safetensors", {})

        async def listed() -> list[object]:
            async with http.get(f"{API}/loras") as answer:
                loras = [item["name"] for item in await answer.json()]
            async with http.get(f"{API}/sd-models") as answer:
                models = [(item["model_name"], bool(item["hash"])) for item in await answer.json()]
            async with http.get(f"{API}/embeddings") as answer:
                return [loras, models, sorted((await answer.json())["loaded"])]

        assert await listed() == [["ink"], [("xl_wide", True)], ["calm"]]
        for name in ("loras", "checkpoints", "embeddings"):
            await http.post(f"{API}/refresh-{name}")
        assert await listed() == [
            ["ink", "new"],
            [("new", False), ("xl_wide", True)],
            ["calm", "new"],
        ]


@pytest.mark.parametrize(
    "content",
    [b"", b"1234", b"\xff" * 8 + b"{}", (2).to_bytes(8, "little") + b"[]", bytes(100)],
)
def test_file_without_a_header_tells_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    assert safetensors_metadata(tmp_path / "a.safetensors") == {}
    assert safetensors_metadata(tmp_path / "gone.safetensors") == {}


def test_folder_that_is_missing_is_empty(tmp_path: Path) -> None:
    disk = FolderCatalogue(folder=tmp_path / "models")
    disk.look()
    assert (disk.checkpoints, disk.modules, disk.loras, disk.embeddings) == ([], [], [], [])
