"""Forge's folder `models`: which kind of file lies where, and which paths are in it. Blocks.

It writes nothing. A name that comes from elsewhere gets to a file through `locate` only.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from app.errors import InvalidInput, NavigatorError, NotFound


class ModelKind(StrEnum):
    """What Forge uses a file for. The names are on the wire."""

    CHECKPOINT = "checkpoint"
    LORA = "lora"
    EMBEDDING = "embedding"
    CONTROLNET = "controlnet"
    HYPERNETWORK = "hypernetwork"
    VAE = "vae"
    TEXT_ENCODER = "text-encoder"
    UPSCALER = "upscaler"


# Below the folder `models` (Forge `modules/paths_internal.py` and `modules/shared_cmd_options.py`;
# contract 3.10); a download goes to the first. Embeddings are kept beside `models`.
FOLDERS: dict[ModelKind, tuple[str, ...]] = {
    ModelKind.CHECKPOINT: ("Stable-diffusion",),
    ModelKind.LORA: ("Lora",),
    ModelKind.EMBEDDING: ("../embeddings",),
    ModelKind.CONTROLNET: ("ControlNet",),
    ModelKind.HYPERNETWORK: ("hypernetworks",),
    ModelKind.VAE: ("VAE",),
    ModelKind.TEXT_ENCODER: ("text_encoder",),
    ModelKind.UPSCALER: ("ESRGAN", "RealESRGAN", "DAT", "SwinIR", "ScuNET", "HAT"),
}
SUFFIXES = frozenset({".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin"})
# Loading one of these can run any program that its maker put into it.
PICKLE_SUFFIXES = frozenset({".ckpt", ".pt", ".pth", ".bin"})


class ModelFolderMissing(NavigatorError):
    """There is no folder `models` to work with; the message says whether it is set at all."""

    status = 503
    code = "MODEL_DIR_MISSING"


@dataclass(frozen=True)
class ModelFile:
    """A file that Forge may use. `path` is below `models`, with slashes."""

    kind: ModelKind
    path: str
    size_bytes: int
    modified_ns: int

    @property
    def name(self) -> str:
        """The name that Forge gives to LoRAs, embeddings and the like: without folder, suffix."""
        return PurePosixPath(self.path).stem


class ModelFolder:
    """One folder `models`, which may be missing for a while."""

    def __init__(self, root: str | Path | None):
        """`root` is `MODEL_DIR`; None if that is not set."""
        self._root = None if root is None else Path(root).absolute()

    @property
    def is_set(self) -> bool:
        """Whether the owner has named one."""
        return self._root is not None

    @property
    def root(self) -> Path:
        """The folder, which is there. Raises `ModelFolderMissing`."""
        if self._root is None:
            raise ModelFolderMissing("Model directory not set")
        try:
            is_there = self._root.is_dir()
        except OSError:  # a disk of the network's that does not answer
            is_there = False
        if not is_there:
            raise ModelFolderMissing("Model directory not found")
        return self._root

    def folder_of(self, kind: ModelKind) -> Path:
        """Where a new file of this kind goes; it may not be there. Raises `ModelFolderMissing`."""
        return Path(os.path.normpath(self.root / FOLDERS[kind][0]))

    def files(self) -> Iterator[ModelFile]:
        """All files that Forge may use, also those that a link leads to.

        Raises `ModelFolderMissing`. What cannot be read is left out.
        """
        root = self.root
        for kind, folders in FOLDERS.items():
            for folder in folders:
                yield from _files(root, Path(os.path.normpath(root / folder)), kind)

    def locate(self, path: str) -> Path:
        """The file of this `ModelFile.path`, in one of the folders above.

        Raises `InvalidInput` for a path that is none, `NotFound` when there is no such file, and
        `ModelFolderMissing`. A link to somewhere else is no file of ours.
        """
        if not path or any(ord(character) < 32 for character in path) or "\\" in path:
            raise InvalidInput("path: this is not the path of a model file.")
        root = self.root
        found = Path(os.path.normpath(root / path))
        for folders in FOLDERS.values():
            for folder in folders:
                home = Path(os.path.normpath(root / folder))
                if found != home and found.is_relative_to(home):
                    return _real(found, home)
        raise InvalidInput("path: this is not the path of a model file.")

    def homes(self) -> Iterator[list[Path]]:
        """The folders of each kind. Raises `ModelFolderMissing`."""
        root = self.root
        for folders in FOLDERS.values():
            yield [Path(os.path.normpath(root / folder)) for folder in folders]

    def path_of(self, file: ModelFile) -> Path:
        """Where a listed file lies. Raises `ModelFolderMissing`."""
        return Path(os.path.normpath(self.root / file.path))

    def relative(self, file: Path) -> str:
        """The `ModelFile.path` of a file."""
        return Path(os.path.relpath(file, self.root)).as_posix()


def _files(root: Path, folder: Path, kind: ModelKind) -> Iterator[ModelFile]:
    seen: set[tuple[int, int]] = set()  # a link to a folder above would never end
    for at, folders, names in os.walk(folder, followlinks=True):
        try:
            here = Path(at).stat()
        except OSError:  # gone meanwhile
            folders.clear()
            continue
        if (here.st_dev, here.st_ino) in seen:
            folders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        for name in names:
            if PurePosixPath(name).suffix.lower() not in SUFFIXES:
                continue
            path = Path(at, name)
            try:
                found = path.stat()
            except OSError:  # a link to nowhere, or gone meanwhile
                continue
            relative = Path(os.path.relpath(path, root)).as_posix()
            yield ModelFile(kind, relative, found.st_size, found.st_mtime_ns)


def _real(found: Path, home: Path) -> Path:
    if found.suffix.lower() not in SUFFIXES:
        raise InvalidInput("path: this is not the path of a model file.")
    if not found.is_file() or not found.resolve().is_relative_to(home.resolve()):
        raise NotFound("path: there is no such model file.")
    return found
