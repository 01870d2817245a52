"""Real files as the models of a simulated Forge: what lies in a folder `models`. Writes nothing."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.simulator.catalogue import Checkpoint, Embedding, Lora, Module
from app.simulator.loader import Catalogue

_CHECKPOINTS = frozenset({".safetensors", ".ckpt", ".gguf"})
_LORAS = frozenset({".safetensors", ".pt", ".ckpt"})
_MODULES = frozenset({".safetensors", ".sft", ".pt", ".ckpt", ".bin", ".gguf"})
_EMBEDDINGS = frozenset({".safetensors", ".pt", ".bin"})
_HASHED_BYTES = 64 * 1024 * 1024
_MAX_HEADER_BYTES = 16 * 1024 * 1024


@dataclass
class FolderCatalogue(Catalogue):
    """The files below `folder`, seen anew at each `look`; embeddings are kept beside it.

    Checkpoints of more than 64 MB get a hash of their name: hashing them would take long, and
    nothing here needs the right one.
    """

    folder: Path = field(default_factory=Path)
    _seen: dict[tuple[str, int, int], Checkpoint] = field(default_factory=dict)

    def look(self) -> None:
        root = self.folder.absolute()
        models = str(root).replace("\\", "/")
        self.checkpoints = [
            self._checkpoint(root, path) for path in _files(root / "Stable-diffusion", _CHECKPOINTS)
        ]
        self.modules = [
            Module(path.name, folder, models=models)
            for folder in ("VAE", "text_encoder")
            for path in _files(root / folder, _MODULES)
        ]
        self.loras = [
            Lora(
                path.relative_to(root / "Lora").as_posix(),
                safetensors_metadata(path),
                models=models,
            )
            for path in _files(root / "Lora", _LORAS)
        ]
        embeddings = _files(root.parent / "embeddings", _EMBEDDINGS)
        self.embeddings = [Embedding(path.stem) for path in embeddings]

    def _checkpoint(self, root: Path, path: Path) -> Checkpoint:
        state = path.stat()
        name = path.relative_to(root / "Stable-diffusion").as_posix()
        key = (name, state.st_size, state.st_mtime_ns)
        if key not in self._seen:
            is_small = state.st_size <= _HASHED_BYTES
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if is_small else ""
            self._seen[key] = Checkpoint(name, sha256, models=str(root).replace("\\", "/"))
        return self._seen[key]


def safetensors_metadata(path: Path) -> dict[str, Any]:
    """The texts in the header of a file; none for a file that has no such header.

    Source: the format as the library safetensors describes it, 8 bytes of length, then JSON.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if 0 < length <= _MAX_HEADER_BYTES else {}
    except (OSError, ValueError, RecursionError):
        return {}
    found = header.get("__metadata__") if isinstance(header, dict) else None
    return found if isinstance(found, dict) else {}


def _files(folder: Path, suffixes: frozenset[str]) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in suffixes and path.is_file():
            yield path
