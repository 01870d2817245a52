"""What the owner says of checkpoints: friendly names, who may use them, tags. The only writer."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import Conflict, Forbidden, NotFound
from app.events import EventBus, ModelsRefreshed
from app.library.catalogue import Catalogue
from app.library.known_checkpoints import KnownCheckpoints
from app.library.models import KnownCheckpoint


@dataclass(frozen=True)
class Attributes:
    """A checkpoint and what the owner says of it.

    `title` is Forge's, None for a checkpoint that it does not list; `is_missing` says that the
    file is gone, None while Forge has told no list. `is_known` says whether the owner has said
    anything. `required_role` is as in tokens.
    """

    model_name: str
    title: str | None
    is_missing: bool | None
    is_known: bool
    friendly_name: str | None
    is_restricted: bool
    required_role: int | None
    tags: Sequence[str]


class CheckpointAttributes:
    """Reads and changes them; whoever lists checkpoints hears of it at once."""

    def __init__(self, events: EventBus, known: KnownCheckpoints, catalogue: Catalogue):
        self._events = events
        self._known = known
        self._catalogue = catalogue
        self._lock = asyncio.Lock()  # two may give one name to two checkpoints

    async def all(self) -> list[Attributes]:
        """Of all checkpoints in Forge's order, then of those that are not there any more."""
        rows = {row.model_name: row for row in await KnownCheckpoint.all().order_by("model_name")}
        names = dict.fromkeys(_names(self._catalogue))
        names.update(dict.fromkeys(rows))
        return [self._of(name, rows.get(name)) for name in names]

    async def change(
        self, model_name: str, changes: Mapping[str, Any], *, highest_role: int
    ) -> Attributes:
        """Changes what `changes` names, by the names of `KnownCheckpoint`; None clears it.

        `highest_role` is the caller's own: nothing above it is set or changed. Raises `NotFound`,
        `Forbidden`, and `Conflict` for a friendly name that means another checkpoint already.
        """
        async with self._lock:
            row = await KnownCheckpoint.get_or_none(model_name=model_name)
            if row is None:
                if model_name not in _names(self._catalogue):
                    self._catalogue.known()  # else it may only be unknown yet
                    raise _no_such_checkpoint()
                row = KnownCheckpoint(model_name=model_name)
            _check_role(row, highest_role)
            row.update_from_dict(dict(changes))
            _check_role(row, highest_role)
            if changes.get("friendly_name") is not None:
                await self._check_name(row)
            await row.save()
            await self._tell()
            return self._of(model_name, row)

    async def forget(self, model_name: str, *, highest_role: int) -> None:
        """Drops all that was said of a checkpoint, which everybody may use then.

        Raises `NotFound` when nothing was said, `Forbidden`.
        """
        async with self._lock:
            row = await KnownCheckpoint.get_or_none(model_name=model_name)
            if row is None:
                raise _no_such_checkpoint()
            _check_role(row, highest_role)
            await row.delete()
            await self._tell()

    async def _check_name(self, row: KnownCheckpoint) -> None:
        """Raises `Conflict` if a job that names this would mean, or might mean, another one."""
        others = await KnownCheckpoint.all().exclude(model_name=row.model_name)
        taken = {name for other in others for name in (other.model_name, other.friendly_name)}
        found = self._catalogue.lists.checkpoint(str(row.friendly_name))
        means_another = found is not None and found.get("model_name") != row.model_name
        if row.friendly_name in taken or means_another:
            raise Conflict("friendly_name: another checkpoint is called so already.")

    async def _tell(self) -> None:
        self._known.changed()
        if self._catalogue.lists.checkpoints:
            await self._catalogue.renamed()
        self._events.publish(ModelsRefreshed())

    def _of(self, model_name: str, row: KnownCheckpoint | None) -> Attributes:
        found = _named(self._catalogue, model_name)
        is_listed = bool(self._catalogue.lists.checkpoints)
        return Attributes(
            model_name,
            title=None if found is None else str(found.get("title")),
            is_missing=found is None if is_listed else None,
            is_known=row is not None,
            friendly_name=None if row is None else row.friendly_name,
            is_restricted=row is not None and row.is_restricted,
            required_role=None if row is None else row.required_role,
            tags=list(row.tags or ()) if row else [],
        )


def _names(catalogue: Catalogue) -> list[str]:
    return [str(item.get("model_name")) for item in catalogue.lists.checkpoints]


def _named(catalogue: Catalogue, model_name: str) -> Mapping[str, Any] | None:
    items = catalogue.lists.checkpoints
    return next((item for item in items if item.get("model_name") == model_name), None)


def _check_role(row: KnownCheckpoint, highest_role: int) -> None:
    if max(row.required_role or 0, row.needed_role) > highest_role:
        raise Forbidden("required_role: it is above your own role.")


def _no_such_checkpoint() -> NotFound:
    return NotFound("model_name: there is no such checkpoint.", code="UNKNOWN_NAME")
