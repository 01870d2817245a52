"""How many pictures everybody has, kept in memory so that no page of a gallery counts rows.

Right because one Navigator at a time works with a database, and everything that adds, removes or
moves pictures does so inside `changing`.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator

from app.database.sql import rows
from app.generation.models import Image

_COUNT = (
    "SELECT category_id, COUNT(*) AS pictures FROM generated_image"
    " WHERE owner_id = ? GROUP BY category_id"
)

PerCategory = Counter[int | None]
"""Numbers of pictures by category; None is no category."""


class PictureCounts:
    """The number of pictures of each user and category, read from the table at the first look."""

    def __init__(self) -> None:
        self._known: dict[str, PerCategory] = {}
        self._under_way: Counter[str] = Counter()
        self._begun: Counter[str] = Counter()
        self._counting = asyncio.Lock()

    async def of(self, owner_id: str) -> PerCategory:
        """The user's pictures per category. Do not change it."""
        if (known := self._known.get(owner_id)) is not None:
            return known
        async with self._counting:  # many ask at once after a start
            if (known := self._known.get(owner_id)) is not None:
                return known
            is_quiet, begun = not self._under_way[owner_id], self._begun[owner_id]
            counted = await rows(Image._meta.db, _COUNT, [owner_id])
            found: PerCategory = Counter({row["category_id"]: row["pictures"] for row in counted})
            # A change under way may be counted already or not.
            if is_quiet and self._begun[owner_id] == begun:
                self._known[owner_id] = found
            return found

    @contextlib.contextmanager
    def changing(self, owner_id: str) -> Iterator[PerCategory]:
        """Around one committed change of the user's pictures; put into the counter what it adds.

        When the block raises, nobody knows what was committed, and they are counted anew.
        """
        added: PerCategory = Counter()
        self._under_way[owner_id] += 1
        self._begun[owner_id] += 1
        try:
            yield added
        except BaseException:
            self.forget(owner_id)
            raise
        else:
            if (known := self._known.get(owner_id)) is not None:
                for category_id, number in added.items():
                    known[category_id] += number
        finally:
            self._under_way[owner_id] -= 1

    def forget(self, owner_id: str) -> None:
        """Counts the user's pictures anew at the next look."""
        self._known.pop(owner_id, None)
