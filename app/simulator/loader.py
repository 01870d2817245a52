"""Which checkpoint and modules are wanted and which are loaded. Takes no requests.

The failing cases are Forge's own: after a failed load the loader believes that the previous
checkpoint is still there while it is gone (recordings `switch/19` to `switch/28`).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from app.simulator.builtin_lists import (
    JsonObject,
    default_samplers,
    default_schedulers,
    default_upscalers,
)
from app.simulator.catalogue import (
    Checkpoint,
    Embedding,
    Lora,
    Module,
    default_checkpoints,
    default_embeddings,
    default_loras,
    default_modules,
)
from app.simulator.errors import PythonError
from app.simulator.forge_options import ForgeOptions

CHECKPOINT = "sd_model_checkpoint"
MODULES = "forge_additional_modules"


@dataclass
class Catalogue:
    """Everything that is installed. Files are seen by Forge after a scan only."""

    checkpoints: list[Checkpoint] = field(default_factory=default_checkpoints)
    modules: list[Module] = field(default_factory=default_modules)
    loras: list[Lora] = field(default_factory=default_loras)
    embeddings: list[Embedding] = field(default_factory=default_embeddings)
    samplers: list[JsonObject] = field(default_factory=default_samplers)
    schedulers: list[JsonObject] = field(default_factory=default_schedulers)
    upscalers: list[JsonObject] = field(default_factory=default_upscalers)

    def look(self) -> None:
        """Brings the lists up to date, if they are of real files."""


@dataclass
class Listed:
    """What the last scans of the folders found."""

    checkpoints: list[Checkpoint]
    modules: list[Module]
    loras: list[Lora]
    embeddings: list[Embedding]

    @classmethod
    def scan(cls, disk: Catalogue) -> "Listed":
        disk.look()
        return cls(
            sorted(disk.checkpoints, key=lambda file: file.name.lower()),
            list(disk.modules),
            list(disk.loras),
            list(disk.embeddings),
        )


@dataclass(frozen=True)
class _Wanted:
    checkpoint: Checkpoint | None
    modules: tuple[str, ...]

    @property
    def key(self) -> str:
        name = self.checkpoint.filename if self.checkpoint else None
        return f"{name} {self.modules}"


class Loader:
    """The one model that is in memory, and what the options ask for."""

    def __init__(self, disk: Catalogue, options: ForgeOptions, load_time_s: float) -> None:
        self._disk = disk
        self._options = options
        self._load_time_s = load_time_s
        self.listed = Listed.scan(disk)
        self.model: Checkpoint | None = None
        self.modules: tuple[str, ...] = ()
        self.is_on_gpu = False
        self._loaded_key = ""
        self._wanted = _Wanted(None, ())
        self.refresh_wanted()

    def refresh_checkpoints(self) -> None:
        self.listed.checkpoints = Listed.scan(self._disk).checkpoints

    def find(self, name: object) -> Checkpoint | None:
        for checkpoint in self.listed.checkpoints:
            if isinstance(name, str) and name in checkpoint.aliases():
                return checkpoint
        return None

    def require(self, name: object) -> None:
        """Raises Forge's error when a checkpoint that is to be selected is not listed."""
        if name and self.find(name) is None:
            raise PythonError("RuntimeError", f"model '{name}' not found")

    def module_paths(self, names: object) -> list[str]:
        """Gives the files of the modules that are known by base name; drops all others."""
        if not isinstance(names, list):
            raise PythonError("TypeError", f"'{type(names).__name__}' object is not iterable")
        wanted = [PurePosixPath(str(name).replace("\\", "/")).name for name in names]
        by_name = {module.name: module.filename for module in self.listed.modules}
        return [by_name[name] for name in wanted if name in by_name]

    def refresh_wanted(self) -> None:
        """Takes over what the options name; an unknown checkpoint becomes the first one."""
        values = self._options.values
        first = self.listed.checkpoints[0] if self.listed.checkpoints else None
        self._wanted = _Wanted(self.find(values[CHECKPOINT]) or first, tuple(values[MODULES]))

    def apply(self, overrides: dict[str, Any]) -> None:
        """Puts override settings into the options; takes out an unknown checkpoint."""
        if self.find(overrides.get(CHECKPOINT)) is None:
            overrides.pop(CHECKPOINT, None)
        for key, value in overrides.items():
            self._options.values[key] = self.module_paths(value) if key == MODULES else value
        if CHECKPOINT in overrides or MODULES in overrides:
            self.refresh_wanted()

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Puts the options back after a run; the loaded model stays as it is."""
        for key, value in stored.items():
            if key == CHECKPOINT:
                self.require(value)
            self._options.values[key] = value
        if CHECKPOINT in stored or MODULES in stored:
            self.refresh_wanted()

    async def load(self) -> Checkpoint:
        """Gives the wanted checkpoint, loaded. Takes the load time only when it changes."""
        wanted = self._wanted
        if wanted.checkpoint is None:
            raise PythonError(
                "ValueError",
                "You do not have any model! Please download at least one model in "
                "[models/Stable-diffusion].",
            )
        if wanted.key == self._loaded_key:
            if self.model is None:
                raise PythonError(
                    "AttributeError", "'NoneType' object has no attribute 'sd_checkpoint_info'"
                )
            self.is_on_gpu = True
            return self.model
        self.model = None
        if not self._readable(wanted.checkpoint):
            raise PythonError("ValueError", "Failed to recognize model type!")
        await asyncio.sleep(self._load_time_s)
        self._loaded_key = wanted.key
        self.model, self.is_on_gpu = wanted.checkpoint, True
        self.model.hashed = True
        self.modules = wanted.modules
        self._options.values["sd_checkpoint_hash"] = self.model.sha256
        return self.model

    def _readable(self, checkpoint: Checkpoint) -> bool:
        there = [file for file in self._disk.checkpoints if file.name == checkpoint.name]
        if there and checkpoint.corrupt:
            # Forge renames the file to <name>.corrupted; it stays listed until a refresh.
            self._disk.checkpoints.remove(there[0])
            return False
        return bool(there)
