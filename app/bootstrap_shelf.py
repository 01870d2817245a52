"""Builds what the owner decides about models with, for `bootstrap.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import UpstreamUnavailable
from app.events import EventBus
from app.generation.checkpoint import Loaded
from app.generation.loaded_checkpoint import LoadedCheckpoint
from app.jobs.pause import Pauses
from app.library.catalogue import Catalogue
from app.library.checkpoint_attributes import CheckpointAttributes
from app.library.known_checkpoints import KnownCheckpoints
from app.library.model_disk import ModelDisk
from app.library.model_folder import ModelFolder
from app.library.model_uses import ModelUses


@dataclass(frozen=True)
class Shelf:
    """What is said of models, when they were used, and their files."""

    checkpoints: CheckpointAttributes
    uses: ModelUses
    disk: ModelDisk


def shelf(
    folder: ModelFolder,
    *,
    events: EventBus,
    known: KnownCheckpoints,
    catalogue: Catalogue,
    pauses: Pauses,
    loaded: LoadedCheckpoint,
) -> Shelf:
    """Joins them; nothing is opened."""

    async def loaded_now() -> Mapping[str, Any]:
        try:
            return _as_parameters(await loaded.now())
        except UpstreamUnavailable:
            return _as_parameters(loaded.last_seen)

    uses = ModelUses(events, lambda: catalogue.lists)
    disk = ModelDisk(
        folder,
        catalogue,
        pauses,
        uses,
        last_loaded=lambda: _as_parameters(loaded.last_known),
        loaded_now=loaded_now,
    )
    return Shelf(CheckpointAttributes(events, known, catalogue), uses, disk)


def _as_parameters(loaded: Loaded | None) -> Mapping[str, Any]:
    """What a job would name that needs it."""
    return {} if loaded is None else {"model_name": loaded.checkpoint, "modules": loaded.modules}
