"""Tests of `app/library/model_folder.py`."""

from pathlib import Path

import pytest

from app.errors import InvalidInput, NotFound
from app.library.model_folder import FOLDERS, ModelFile, ModelFolder, ModelFolderMissing, ModelKind


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder `models` with one LoRA in a folder of its own, and what is none."""
    made = tmp_path / "models"
    (made / "Lora" / "styles").mkdir(parents=True)
    (made / "Lora" / "styles" / "ink.safetensors").write_bytes(b"ink")
    (made / "Lora" / "ink.json").write_text("{}")
    (made / "unsorted.safetensors").write_bytes(b"x")
    return made


def test_files_are_found_by_kind_below_their_folders(root: Path) -> None:
    (root.parent / "embeddings").mkdir()
    (root.parent / "embeddings" / "bad.PT").write_bytes(b"12345")
    found = list(ModelFolder(root).files())
    assert [(file.kind, file.path, file.name, file.size_bytes) for file in found] == [
        (ModelKind.LORA, "Lora/styles/ink.safetensors", "ink", 3),
        (ModelKind.EMBEDDING, "../embeddings/bad.PT", "bad", 5),
    ]


@pytest.mark.posix
def test_links_that_lead_in_a_circle_or_nowhere_end(root: Path) -> None:
    (root / "Lora" / "again").symlink_to(root / "Lora")
    (root / "Lora" / "gone.safetensors").symlink_to(root / "nowhere")
    assert [file.name for file in ModelFolder(root).files()] == ["ink"]


@pytest.mark.posix
def test_files_behind_a_link_are_found_but_not_ours(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other.safetensors").write_bytes(b"abc")
    (root / "Lora" / "linked.safetensors").symlink_to(tmp_path / "other.safetensors")
    folder = ModelFolder(root)
    assert "Lora/linked.safetensors" in [file.path for file in folder.files()]
    with pytest.raises(NotFound):
        folder.locate("Lora/linked.safetensors")


def test_folder_that_is_missing_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderMissing, match="not set"):
        _ = ModelFolder(None).root
    with pytest.raises(ModelFolderMissing, match="not found"):
        list(ModelFolder(tmp_path / "models").files())
    assert ModelFolder(tmp_path).is_set
    assert not ModelFolder(None).is_set


def test_every_kind_has_a_folder(root: Path) -> None:
    assert set(FOLDERS) == set(ModelKind)
    folder = ModelFolder(root)
    assert folder.folder_of(ModelKind.LORA) == root / "Lora"
    assert folder.folder_of(ModelKind.EMBEDDING) == root.parent / "embeddings"


def test_a_listed_file_is_located_and_named_the_same(root: Path) -> None:
    folder = ModelFolder(root)
    found = folder.locate("Lora/styles/ink.safetensors")
    assert found == root / "Lora" / "styles" / "ink.safetensors"
    assert folder.relative(found) == "Lora/styles/ink.safetensors"
    assert [ModelFile(ModelKind.LORA, folder.relative(found), 3, found.stat().st_mtime_ns)] == [
        *folder.files()
    ]


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "Lora",
        "unsorted.safetensors",
        "../../etc/passwd",
        "Lora/../unsorted.safetensors",
        "Lora/ink.json",
        "/etc/passwd",
        "Lora\\styles\\ink.safetensors",
        "Lora/ink\n.safetensors",
        "Lora/ink\0.safetensors",
    ],
)
def test_other_paths_are_refused(root: Path, path: str) -> None:
    with pytest.raises(InvalidInput, match="path"):
        ModelFolder(root).locate(path)


def test_file_that_is_not_there_is_not_found(root: Path) -> None:
    with pytest.raises(NotFound, match="path"):
        ModelFolder(root).locate("Lora/other.safetensors")
