"""What CivitAI and the owner say of files, by the hash of each: in memory, and in the database."""

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.library.models import FileMetadata

log = logging.getLogger(__name__)

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class KnownFile:
    """What is known of a file; see `FileMetadata`."""

    version_id: int | None = None
    version: JsonObject | None = field(default=None, repr=False)
    checked_at: datetime | None = None
    updates_disabled: bool = False
    override: JsonObject | None = field(default=None, repr=False)


class MetadataStore:
    """All rows. `revision` grows with each change."""

    def __init__(self) -> None:
        self.revision = 0
        self._rows: dict[str, KnownFile] = {}
        self._one = asyncio.Lock()  # or of two changes at once one would be lost

    async def load(self) -> None:
        """Reads what was kept."""
        for row in await FileMetadata.all():
            self._rows[row.file_hash] = KnownFile(
                row.version_id, row.version, row.checked_at, row.updates_disabled, row.override
            )
        self.revision += 1

    def find(self, file_hash: str) -> KnownFile | None:
        """What is known of the file with this hash; None for nothing."""
        return self._rows.get(file_hash)

    async def keep_version(
        self, file_hash: str, version: JsonObject | None, checked_at: datetime
    ) -> None:
        """Keeps what CivitAI said, None for that it knows nothing.

        What the database does not take is known until the next start, and then asked for again.
        """
        async with self._one:
            before = self._rows.get(file_hash, KnownFile())
            version_id = version.get("id") if version is not None else None
            known = replace(
                before,
                version=version,
                version_id=version_id if isinstance(version_id, int) else before.version_id,
                checked_at=checked_at,
            )
            self._set(file_hash, known)
            try:
                await _write(file_hash, known)
            except Exception as error:  # MariaDB takes no JSON of more than 32 levels, say
                log.warning("what CivitAI said of a file cannot be kept: %s", type(error).__name__)

    async def change(self, file_hash: str, **changes: Any) -> None:
        """Changes what the owner decides, by the names of `KnownFile`. Raises what the database
        does; then nothing is changed."""
        async with self._one:
            known = replace(self._rows.get(file_hash, KnownFile()), **changes)
            await _write(file_hash, known)
            self._set(file_hash, known)

    def _set(self, file_hash: str, known: KnownFile) -> None:
        self._rows[file_hash] = known
        self.revision += 1


async def _write(file_hash: str, known: KnownFile) -> None:
    values = {
        "version_id": known.version_id,
        "version": known.version,
        "checked_at": known.checked_at,
        "updates_disabled": known.updates_disabled,
        "override": known.override,
    }
    await FileMetadata.update_or_create(defaults=values, file_hash=file_hash)
