"""Tests of `app/library/model_shelf.py`."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import Conflict, InvalidInput, NotFound
from app.library.model_folder import ModelFolder, ModelFolderMissing, ModelKind
from app.library.model_shelf import ARCHIVE, ModelFileRefused, ModelShelf

INK = "Lora/styles/ink.safetensors"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder `models` with a LoRA, a checkpoint, and an embedding beside it."""
    made = tmp_path / "models"
    for path in (made / INK, made / "Stable-diffusion/dream.safetensors",
                 tmp_path / "embeddings/calm.pt"):  # fmt: skip
        path.parent.mkdir(parents=True)
        path.write_bytes(b"ink")
    return made


@pytest.fixture
def shelf(root: Path) -> ModelShelf:
    """That of the folder."""
    return ModelShelf(ModelFolder(root))


def paths(shelf: ModelShelf, *, archived: bool = False) -> dict[str, str | None]:
    return {file.path: why for file, why in shelf.files(archived=archived)}


def test_files_say_why_they_can_never_be_changed(shelf: ModelShelf) -> None:
    assert paths(shelf) == {
        INK: None,
        "Stable-diffusion/dream.safetensors": None,
        "../embeddings/calm.pt": "It lies outside of MODEL_DIR.",
    }
    assert paths(shelf, archived=True) == {}


def test_archived_file_is_gone_for_forge_and_comes_back(shelf: ModelShelf, root: Path) -> None:
    shelf.archive(INK)
    assert INK not in paths(shelf)
    assert paths(shelf, archived=True) == {INK: None}
    assert (root / ARCHIVE / INK).read_bytes() == b"ink"
    shelf.restore(INK)
    assert paths(shelf, archived=True) == {}
    assert (root / INK).read_bytes() == b"ink"


def test_nothing_is_ever_overwritten(shelf: ModelShelf, root: Path) -> None:
    shelf.archive(INK)
    (root / INK).write_bytes(b"another")
    for move in (shelf.archive, shelf.restore):
        with pytest.raises(Conflict, match="already"):
            move(INK)
    assert (root / ARCHIVE / INK).read_bytes() == b"ink"
    assert (root / INK).read_bytes() == b"another"


def test_removed_file_is_gone(shelf: ModelShelf, root: Path) -> None:
    assert shelf.find(INK).kind is ModelKind.LORA
    shelf.remove(INK)
    assert not (root / INK).exists()
    shelf.archive("Stable-diffusion/dream.safetensors")
    shelf.remove("Stable-diffusion/dream.safetensors", archived=True)
    assert [path for path in root.rglob("*") if path.is_file()] == []


def acts(shelf: ModelShelf) -> list[Callable[[str], object]]:
    return [shelf.find, shelf.remove, shelf.archive, shelf.restore]


@pytest.mark.parametrize(
    "path", ["", ".", "Lora", "../../x.safetensors", "/etc/passwd", f"{ARCHIVE}/{INK}", "a\0b"]
)
def test_other_paths_are_refused(shelf: ModelShelf, path: str) -> None:
    for act in acts(shelf):
        with pytest.raises((InvalidInput, NotFound), match="path"):
            act(path)


def test_file_outside_is_refused(shelf: ModelShelf, root: Path) -> None:
    for act in (shelf.find, shelf.remove, shelf.archive):
        with pytest.raises(ModelFileRefused, match="outside"):
            act("../embeddings/calm.pt")
    assert (root.parent / "embeddings" / "calm.pt").exists()


@pytest.mark.parametrize("name", ["none", "x" * 300])
def test_file_that_is_not_there_is_not_found(shelf: ModelShelf, name: str) -> None:
    shelf.archive(INK)
    for act in acts(shelf):
        with pytest.raises(NotFound, match="path"):
            act(f"Lora/{name}.safetensors")


@pytest.mark.posix
def test_links_are_left_alone(shelf: ModelShelf, root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "big.safetensors").write_bytes(b"big")
    (root / "VAE").symlink_to(tmp_path / "elsewhere")
    (root / "Lora" / "again.safetensors").symlink_to(root / INK)
    linked = ("VAE/big.safetensors", "Lora/again.safetensors")
    for path in linked:
        assert "link" in str(paths(shelf)[path])
        for act in (shelf.remove, shelf.archive):
            with pytest.raises(ModelFileRefused, match="link"):
                act(path)
    assert (tmp_path / "elsewhere" / "big.safetensors").exists()


@pytest.mark.posix
def test_nothing_is_moved_through_a_link(shelf: ModelShelf, root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / ARCHIVE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelFileRefused, match="link"):
        shelf.archive(INK)
    (root / ARCHIVE).unlink()
    shelf.archive(INK)
    (root / "Lora" / "styles").rmdir()
    (root / "Lora" / "styles").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelFileRefused, match="link"):
        shelf.restore(INK)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.posix
def test_folder_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    shelf = ModelShelf(ModelFolder(tmp_path / "link"))
    shelf.archive(INK)
    assert paths(shelf, archived=True) == {INK: None}
    shelf.restore(INK)
    assert paths(shelf)[INK] is None


@pytest.mark.posix
def test_name_that_is_no_text_is_shown_and_left_alone(shelf: ModelShelf, root: Path) -> None:
    name = os.fsdecode(b"\xff.safetensors")
    (root / "Lora" / name).write_bytes(b"x")
    assert paths(shelf)["Lora/\\udcff.safetensors"] == "Its name is no text that can be sent."


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.EROFS, "cannot be changed"), (errno.EXDEV, "another disk"), (errno.EIO, "disk")],
)
def test_what_the_system_refuses_is_said(
    shelf: ModelShelf,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    sentence: str,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "rename", refuse)  # what no test can have the system do
    with pytest.raises(Exception, match=sentence):
        shelf.archive(INK)
    assert (root / INK).exists()


def test_missing_folder_is_said(tmp_path: Path) -> None:
    shelf = ModelShelf(ModelFolder(tmp_path / "none"))
    for act in acts(shelf):
        with pytest.raises(ModelFolderMissing):
            act(INK)
