"""What the owner says of checkpoints. Rows may be written by hand, so they are read often."""

import time
from collections.abc import Mapping

from app.database.connection import is_unavailable
from app.library.models import KnownCheckpoint

_FRESH_S = 1.0


class KnownCheckpoints:
    """The rows by `model_name`, at most a second old."""

    def __init__(self, *, fresh_s: float = _FRESH_S) -> None:
        self._fresh_s = fresh_s
        self._read_s = -fresh_s
        self._rows: Mapping[str, KnownCheckpoint] = {}
        self._changes = 0

    @classmethod
    async def read(cls) -> "KnownCheckpoints":
        """With the rows of now, so that no restriction is unknown later, whatever happens."""
        known = cls()
        known._rows = await _rows()
        return known

    def changed(self) -> None:
        """Takes note that a row was written: what was read before counts no more."""
        self._read_s = -self._fresh_s
        self._changes += 1

    async def rows(self) -> Mapping[str, KnownCheckpoint]:
        """All of them; while the database is away, those of before."""
        if time.monotonic() - self._read_s >= self._fresh_s:
            changes = self._changes
            try:
                rows: Mapping[str, KnownCheckpoint] = await _rows()
            except Exception as error:
                if not is_unavailable(error):
                    raise
                rows = self._rows
            if changes != self._changes:  # what was read may be from before: a restriction, say
                return await self.rows()
            self._rows, self._read_s = rows, time.monotonic()
        return self._rows

    async def friendly_names(self) -> dict[str, str]:
        """The owner's names of checkpoints, and Forge's `model_name` for each."""
        rows = (await self.rows()).values()
        return {row.friendly_name: row.model_name for row in rows if row.friendly_name}


async def _rows() -> dict[str, KnownCheckpoint]:
    return {row.model_name: row for row in await KnownCheckpoint.all()}
