"""The hashes by which files of Forge's lists are known, computed in the background where need be.

Forge may see the files at other paths than we do, so what counts is the path below its folder.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from app.library.file_hashes import FileHashes
from app.library.model_folder import ModelFolder, ModelFolderMissing, ModelKind

log = logging.getLogger(__name__)

AUTO_V3_CHARS = 12
_HOMES = {ModelKind.LORA: "Lora", ModelKind.CHECKPOINT: "Stable-diffusion"}
_BUSY_PAUSE_S = 30.0

Item = Mapping[str, Any]
State = tuple[int, int]  # bytes, and nanoseconds of the last change


class ModelKeys:
    """What is known of the hashes of files. `revision` grows with each change."""

    def __init__(
        self,
        folder: ModelFolder,
        hashes: FileHashes,
        *,
        is_idle: Callable[[], bool] = lambda: True,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ):
        """Checkpoints, which are large, are read while `is_idle` only."""
        self.revision = 0
        self._folder = folder
        self._hashes = hashes
        self._is_idle = is_idle
        self._sleep = sleep
        # By Forge's path: how the file was when it was read, and its hash. None: there is none.
        self._read: dict[str, tuple[State | None, str | None]] = {}

    def of_lora(self, item: Item) -> str | None:
        """The 12 digits of AutoV3, else the SHA-256; None while, or if, neither is known."""
        return self._told_of_lora(item) or self._computed(item.get("path"))

    def of_checkpoint(self, item: Item) -> str | None:
        """The SHA-256; None while, or if, it is not known."""
        return self._told_of_checkpoint(item) or self._computed(item.get("filename"))

    def is_computed(self, item: Item) -> bool:
        """Whether nothing more will become known of an item, as its file is now."""
        return str(item.get("path") or item.get("filename") or "") in self._read

    async def compute(self, loras: Iterable[Item], checkpoints: Iterable[Item]) -> None:
        """Reads the files whose hash is not known, one after another; LoRAs first.

        Also those that were not there before, or were replaced.
        """
        for item in loras:
            if self._told_of_lora(item) is None:
                await self._compute(ModelKind.LORA, str(item.get("path", "")))
        for item in checkpoints:
            if self._told_of_checkpoint(item) is None:
                await self._compute(
                    ModelKind.CHECKPOINT, str(item.get("filename", "")), while_idle=True
                )

    @staticmethod
    def _told_of_lora(item: Item) -> str | None:
        """Source: CivitAI calls the first digits of `sshs_model_hash` AutoV3 [contract 3.5]."""
        metadata = item.get("metadata")
        told = metadata.get("sshs_model_hash") if isinstance(metadata, Mapping) else None
        if isinstance(told, str) and re.fullmatch(r"[0-9A-Fa-f]{12,}", told):
            return told[:AUTO_V3_CHARS]
        return None

    @staticmethod
    def _told_of_checkpoint(item: Item) -> str | None:
        told = item.get("sha256")
        if isinstance(told, str) and re.fullmatch(r"[0-9A-Fa-f]{64}", told):
            return told.lower()
        return None

    def _computed(self, path: object) -> str | None:
        return self._read.get(str(path or ""), (None, None))[1]

    async def _compute(self, kind: ModelKind, path: str, *, while_idle: bool = False) -> None:
        state = key = None
        try:
            file, state = await asyncio.to_thread(self._file, kind, path)
            if path in self._read and self._read[path][0] == state:
                return
            while while_idle and file is not None and not self._is_idle():
                await self._sleep(_BUSY_PAUSE_S)
            key = None if file is None else await self._hashes.sha256(file)
        except (OSError, ModelFolderMissing) as error:
            log.info("a file cannot be read for its hash: %s", error)
        if path not in self._read or self._read[path][1] != key:
            self.revision += 1
        self._read[path] = (state, key)

    def _file(self, kind: ModelKind, path: str) -> tuple[Path | None, State | None]:
        """Where we see what Forge sees there, and how. Blocks; raises OSError and
        `ModelFolderMissing`."""
        parts = re.split(r"[/\\]", path)
        if ".." in parts or not self._folder.is_set:
            return None, None
        folder = self._folder.folder_of(kind)
        for number, part in enumerate(parts[:-1], 1):
            if part == _HOMES[kind]:  # a folder above or below may be called so, too
                found = folder.joinpath(*parts[number:])
                if found.is_file():
                    state = found.stat()
                    return found, (state.st_size, state.st_mtime_ns)
        return None, None
