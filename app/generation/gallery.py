"""Everybody's finished pictures: their pages, their categories, and how they are removed."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tortoise.exceptions import IntegrityError

from app.database.sql import execute, rows
from app.errors import InvalidInput, NotFound
from app.generation.images import ImageStore
from app.generation.models import MAX_ID_CHARS, Category, Image
from app.generation.picture_counts import PictureCounts
from app.generation.previews import Previews

log = logging.getLogger(__name__)

# The index alone finds the ids of a page, so that deep pages read no rows; ids make the order
# total. Every part of these texts is ours.
_PAGE = """
    SELECT picture.id, picture.category_id FROM (
        SELECT id FROM generated_image WHERE {condition}
        ORDER BY created_at {order}, id {order} LIMIT ? OFFSET ?
    ) AS page JOIN generated_image AS picture ON picture.id = page.id
    ORDER BY picture.created_at DESC, picture.id DESC
"""
_DELETE = "DELETE FROM generated_image"
_MOVE = "UPDATE generated_image SET category_id = ?"
_OF_OWNER = "owner_id = ?"
_OF_CATEGORY = "owner_id = ? AND category_id = ?"


@dataclass(frozen=True)
class Page:
    """Some pictures, newest first: id and category. `count` is how many there are in all."""

    count: int
    pictures: Sequence[tuple[str, int | None]]


class Gallery:
    """The pictures of all users. Somebody else's pictures and missing ones look alike."""

    def __init__(self, images: ImageStore, previews: Previews, counts: PictureCounts):
        self._images = images
        self._previews = previews
        self._counts = counts

    async def page(
        self, owner_id: str, *, number: int, size: int, category_id: int | None = None
    ) -> Page:
        """Page `number` (from 1) of `size` pictures; of one category, or of all for None."""
        counts = await self._counts.of(owner_id)
        count = counts.total() if category_id is None else counts[category_id]
        offset = (number - 1) * size
        limit = min(size, count - offset)
        if limit <= 0:
            return Page(count, [])
        order, from_end = "DESC", count - offset - limit
        if from_end < offset:  # the index is walked from the nearer end
            order, offset = "ASC", from_end
        is_filtered = category_id is not None
        query = _PAGE.format(condition=_OF_CATEGORY if is_filtered else _OF_OWNER, order=order)
        values = [owner_id, *([category_id] if is_filtered else []), limit, offset]
        found = await rows(Image._meta.db, query, values)
        return Page(count, [(row["id"], row["category_id"]) for row in found])

    async def find(self, image_id: str) -> Image | None:
        """The picture of this id, whoever owns it."""
        return await Image.get_or_none(id=image_id) if may_exist(image_id) else None

    async def rgb_png_of(self, image_id: str) -> bytes | None:
        """The picture as an RGB PNG, as Forge takes it; None when it cannot be read any more."""
        image = await self.find(image_id)
        if image is None:
            return None
        try:
            return await asyncio.to_thread(_rgb_png, self._images.path(image.file_name))
        except (OSError, InvalidInput) as error:
            log.warning("picture %s cannot be read: %s", image_id, error)
            return None

    async def remove(self, image_id: str, *, owner_id: str) -> bool:
        """Removes a picture of the user's, row first; says whether there was one."""
        image = await self.find(image_id)
        if image is None or image.owner_id != owner_id:
            return False
        with self._counts.changing(owner_id) as added:
            if not await _change(_DELETE, [], image):
                return await self.remove(image_id, owner_id=owner_id)  # it was moved meanwhile
            added[image.category_id] -= 1
        self._previews.discard(image_id)
        try:
            await asyncio.to_thread(self._images.path(image.file_name).unlink, missing_ok=True)
        except OSError as error:
            log.warning("the file of picture %s cannot be removed: %s", image_id, error.strerror)
        return True

    async def assign(self, image_id: str, category_id: int | None, *, owner_id: str) -> None:
        """Puts a picture into a category, both the user's; None takes it out.

        Raises `NotFound` when either is missing or somebody else's.
        """
        image = await self.find(image_id)
        if image is None or image.owner_id != owner_id:
            raise NotFound("Image does not exist or you do not own it", code="IMAGE_NOT_FOUND")
        if category_id is not None and not await self.owns_category(owner_id, category_id):
            raise category_missing()
        if image.category_id == category_id:
            return
        try:
            with self._counts.changing(owner_id) as added:
                if await _change(_MOVE, [category_id], image):
                    added[image.category_id] -= 1
                    added[category_id] += 1
                    return
        except IntegrityError as error:  # the category was removed meanwhile
            raise category_missing() from error
        await self.assign(image_id, category_id, owner_id=owner_id)  # it was moved meanwhile

    async def categories(self, owner_id: str) -> list[Category]:
        """The user's categories, oldest first."""
        return await Category.filter(owner_id=owner_id).order_by("id")

    async def owns_category(self, owner_id: str, category_id: int) -> bool:
        """Whether there is such a category of the user's."""
        return await Category.exists(id=category_id, owner_id=owner_id)

    async def add_category(self, owner_id: str, name: str) -> Category:
        """A new category."""
        return await Category.create(owner_id=owner_id, name=name)

    async def rename_category(self, category_id: int, name: str, *, owner_id: str) -> None:
        """Raises `NotFound` when there is no such category of the user's."""
        mine = Category.filter(id=category_id, owner_id=owner_id)
        if not await mine.update(name=name) and not await mine.exists():
            raise category_missing()

    async def remove_category(self, category_id: int, *, owner_id: str) -> None:
        """Removes a category of the user's, if there is one; its pictures stay, without any."""
        with self._counts.changing(owner_id):
            if await Category.filter(id=category_id, owner_id=owner_id).delete():
                self._counts.forget(owner_id)


async def _change(statement: str, values: list[Any], image: Image) -> bool:
    """Changes the row if the picture is still in the category in which it was found."""
    if image.category_id is None:
        condition = "id = ? AND category_id IS NULL"
    else:
        condition = "id = ? AND category_id = ?"
    found = [value for value in (image.id, image.category_id) if value is not None]
    return await execute(Image._meta.db, f"{statement} WHERE {condition}", [*values, *found]) > 0


def may_exist(image_id: str) -> bool:
    """Whether there may be a picture of this id.

    Tortoise fails at a longer one, and MariaDB would not see spaces at the end.
    """
    return len(image_id) <= MAX_ID_CHARS and image_id == image_id.rstrip()


def _rgb_png(path: Path) -> bytes:
    content = path.read_bytes()
    is_rgb_png = content[12:16] == b"IHDR" and content[24:26] == b"\x08\x02"
    if is_rgb_png:
        return content
    # Imported here: most pictures are such PNGs already, and the library is heavy.
    from app.generation.picture_input import as_rgb_png  # noqa: PLC0415

    return as_rgb_png(content, "picture")


def category_missing() -> NotFound:
    """The refusal of a category that is missing or somebody else's."""
    return NotFound("Category does not exist or you do not own it", code="CATEGORY_NOT_FOUND")
