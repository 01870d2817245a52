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
from app.generation.models import Category, Image
from app.generation.picture_counts import PictureCounts, listed
from app.generation.previews import Previews
from app.generation.stored_pictures import StoredPictures, may_exist

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
_REMOVE = "DELETE FROM generated_image WHERE "
_MOVE = "UPDATE generated_image SET category_id = ? WHERE "


@dataclass(frozen=True)
class Page:
    """Some pictures, newest first: id and category. `count` is how many there are in all."""

    count: int
    pictures: Sequence[tuple[str, int | None]]


class Gallery:
    """The pictures of all users. Somebody else's pictures and missing ones look alike."""

    def __init__(
        self,
        images: ImageStore,
        stored: StoredPictures,
        previews: Previews,
        counts: PictureCounts,
    ):
        self._images = images
        self._stored = stored
        self._previews = previews
        self._counts = counts

    async def page(
        self, owner_id: str, *, number: int, size: int, category_id: int | None = None
    ) -> Page:
        """Page `number` (from 1) of `size` pictures; of one category, or of all for None."""
        anchors = await self._counts.of(owner_id, category_id)
        count = anchors.total or 0
        offset = (number - 1) * size
        limit = min(size, count - offset)
        if limit <= 0:
            return Page(count, [])
        order = "DESC"
        oldest = count - offset - limit  # how many pictures are older than those of the page
        since, older = anchors.before(oldest)
        if oldest - older < offset:  # the index is walked from the nearer end
            order, offset = "ASC", oldest - older
        else:
            since = None
        condition, values = listed(owner_id, category_id, since)
        query = _PAGE.format(condition=condition, order=order)
        values += [limit, offset]
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
        condition, values = _unmoved(image)
        with self._counts.changing(owner_id) as changes:
            self._stored.forget(image_id)
            is_removed = await execute(Image._meta.db, _REMOVE + condition, values)
            if is_removed:
                changes.removed(image)
        if not is_removed:  # it was moved or removed at the same moment
            return await self.remove(image_id, owner_id=owner_id)
        self._stored.forget(image_id)
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
        condition, values = _unmoved(image)
        try:
            with self._counts.changing(owner_id) as changes:
                is_moved = await execute(Image._meta.db, _MOVE + condition, [category_id, *values])
                if is_moved:
                    changes.moved(image, image.category_id, category_id)
        except IntegrityError as error:  # the category was removed meanwhile
            raise category_missing() from error
        if not is_moved:  # it was moved or removed at the same moment
            await self.assign(image_id, category_id, owner_id=owner_id)

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
                self._counts.forget(owner_id, category_id)


def _unmoved(image: Image) -> tuple[str, list[Any]]:
    """A condition for the picture as long as it is in its category, and its values."""
    if image.category_id is None:
        return "id = ? AND category_id IS NULL", [image.id]
    return "id = ? AND category_id = ?", [image.id, image.category_id]


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
