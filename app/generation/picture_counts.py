"""How many pictures everybody has and where their pages begin, kept in memory.

No page of a gallery counts rows or skips many. Right because one Navigator at a time works with a
database, and everything that adds, removes or moves pictures does so inside `changing`.
"""

import asyncio
import contextlib
import dataclasses
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.database.connection import until_available
from app.database.sql import rows
from app.generation.models import Category, Image
from app.generation.page_anchors import Key, PageAnchors

_NEXT_ANCHOR = (
    "SELECT created_at, id FROM generated_image WHERE {condition}"
    " ORDER BY created_at, id LIMIT 1 OFFSET ?"
)
_COUNT = "SELECT COUNT(*) AS pictures FROM generated_image WHERE {condition}"
_NEXT_OWNER = "SELECT owner_id FROM generated_image WHERE owner_id > ? ORDER BY owner_id LIMIT 1"
_TRIES = 20
# A page's query skips no more than that, which takes less than two milliseconds, and a million
# pictures have 200 anchors.
_SPACING = 5000


@dataclass
class _List:
    """All pictures of a user, or those of one category."""

    anchors: PageAnchors
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class PictureChanges:
    """What one change adds to lists and takes from them, by category; None is all pictures."""

    def __init__(self) -> None:
        self.steps: list[tuple[int | None, Image, int]] = []

    def added(self, image: Image) -> None:
        """The picture is new."""
        self.steps.append((None, image, 1))
        self.moved(image, None, image.category_id)

    def removed(self, image: Image) -> None:
        """The picture is gone."""
        self.steps.append((None, image, -1))
        self.moved(image, image.category_id, None)

    def moved(self, image: Image, before: int | None, after: int | None) -> None:
        """The picture went from one category to another; None is no category."""
        if before is not None:
            self.steps.append((before, image, -1))
        if after is not None:
            self.steps.append((after, image, 1))


class PictureCounts:
    """The lists of each user, read from the table at the first look."""

    def __init__(self, *, spacing: int = _SPACING) -> None:
        """Anchors are so many pictures apart."""
        self._spacing = spacing
        self._known: dict[str, dict[int | None, _List]] = {}
        self._under_way: Counter[str] = Counter()
        self._begun: Counter[str] = Counter()

    async def of(self, owner_id: str, category_id: int | None = None) -> PageAnchors:
        """The user's pictures of one category, or all for None; `total` is known.

        Look at it before the next `await`, and do not change it.
        """
        lists = self._known.setdefault(owner_id, {})
        one = lists.setdefault(category_id, _List(PageAnchors(self._spacing)))
        if one.anchors.is_complete:
            return one.anchors
        try:
            async with one.turn:  # many ask at once after a start
                return await self._read(owner_id, category_id, one.anchors)
        finally:
            # Nobody can fill the memory by asking for categories that there are not.
            if not one.anchors.total and lists.get(category_id) is one:
                del lists[category_id]

    async def read_all(self) -> None:
        """Reads the lists of everybody, in steps of few milliseconds: for a start."""
        await until_available(self._read_all)

    @contextlib.contextmanager
    def changing(self, owner_id: str) -> Iterator[PictureChanges]:
        """Around one committed change of the user's pictures; tell what it changes.

        When the block raises, nobody knows what was committed, and the lists are read anew.
        """
        changes = PictureChanges()
        self._under_way[owner_id] += 1
        self._begun[owner_id] += 1
        try:
            yield changes
        except BaseException:
            self._known.pop(owner_id, None)
            raise
        else:
            lists = self._known.get(owner_id, {})
            for category_id, image, by in changes.steps:
                if (one := lists.get(category_id)) is not None:
                    one.anchors.changed((image.created_at, image.id), by)
        finally:
            self._under_way[owner_id] -= 1

    def forget(self, owner_id: str, category_id: int) -> None:
        """Reads the pictures of a category anew at the next look."""
        self._known.get(owner_id, {}).pop(category_id, None)

    async def _read(
        self, owner_id: str, category_id: int | None, anchors: PageAnchors
    ) -> PageAnchors:
        """Goes on from anchor to anchor. What was read during a change is not kept.

        It may hold the change already, or not. While one change follows another, the rest is
        counted for this once.
        """
        tries = _TRIES
        while not anchors.is_complete:
            since, older = anchors.last
            condition, values = listed(owner_id, category_id, since)
            begun = -1 if self._under_way[owner_id] else self._begun[owner_id]
            found = await rows(
                Image._meta.db,
                _NEXT_ANCHOR.format(condition=condition),
                [*values, self._spacing],
            )
            if found and self._begun[owner_id] == begun:
                anchors.add(_key(found[0]))
            elif found and tries:
                tries -= 1
            else:
                counted = await rows(Image._meta.db, _COUNT.format(condition=condition), values)
                total = older + int(counted[0]["pictures"])
                if not found and self._begun[owner_id] == begun:
                    anchors.total = total
                elif tries:
                    tries -= 1
                else:
                    return dataclasses.replace(anchors, total=total)
        return anchors

    async def _read_all(self) -> None:
        owner_id = ""
        while found := await rows(Image._meta.db, _NEXT_OWNER, [owner_id]):
            owner_id = found[0]["owner_id"]
            await self.of(owner_id)
            for category in await Category.filter(owner_id=owner_id):
                await self.of(owner_id, category.id)


def _key(row: dict[str, Any]) -> Key:
    # SQLite gives text, MySQL a time without zone.
    created_at = Image._meta.fields_map["created_at"].to_python_value(row["created_at"])
    return created_at, row["id"]


def listed(owner_id: str, category_id: int | None, since: Key | None) -> tuple[str, list[Any]]:
    """A condition for the pictures of a list from `since` on, and its values. Its text is ours."""
    condition = "owner_id = ?"
    values: list[Any] = [owner_id]
    if category_id is not None:
        condition += " AND category_id = ?"
        values.append(category_id)
    if since is not None:
        # The first part says nothing new, but it is one that an index can be read by.
        condition += " AND created_at >= ? AND (created_at > ? OR id >= ?)"
        values += [since[0], *since]
    return condition, values
