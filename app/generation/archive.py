"""All pictures of a user as one ZIP that is made while it is sent. One at a time for each user."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import TypeVar

from tortoise.expressions import Q

from app.errors import TooMany
from app.generation.images import ImageStore
from app.generation.models import Category, Image
from app.generation.picture_zip import PictureZip

_PAGE_ROWS = 200

T = TypeVar("T")


class Archives:
    """Begins archives, and knows who has one under way."""

    def __init__(self, images: ImageStore):
        self._images = images
        self._under_way: dict[str, Archive] = {}

    def begin(self, owner_id: str) -> "Archive":
        """The user's pictures of this moment. Raises `TooMany` while another one is under way."""
        if owner_id in self._under_way:
            raise TooMany(
                "Your pictures are being downloaded already; wait until that is done, or end it.",
                code="ARCHIVE_UNDER_WAY",
            )
        archive = Archive(self, self._images, owner_id)
        self._under_way[owner_id] = archive
        return archive

    def end(self, archive: "Archive") -> None:
        """Lets the user begin another one. May be called again."""
        if self._under_way.get(archive.owner_id) is archive:
            del self._under_way[archive.owner_id]


class Archive:
    """One user's pictures, on their way."""

    def __init__(self, archives: Archives, images: ImageStore, owner_id: str):
        self.owner_id = owner_id
        self._archives = archives
        self._images = images
        self._began_at = datetime.now(UTC)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes of the ZIP; nothing is read before it is asked for.

        Closing it lets everything go. Raises what the database raises.
        """
        categories = await Category.filter(owner_id=self.owner_id)
        zipped = PictureZip(self._images, {one.id: one.name for one in categories})
        try:
            rows = await self._page(None)
            while rows:
                with contextlib.closing(zipped.add(rows)) as parts:
                    while chunk := await _in_thread(functools.partial(next, parts, b"")):
                        yield chunk
                rows = await self._page(rows[-1])
            with contextlib.closing(zipped.end()) as parts:
                while chunk := await _in_thread(functools.partial(next, parts, b"")):
                    yield chunk
        finally:
            self.end()
            await asyncio.to_thread(zipped.close)

    def end(self) -> None:
        """Lets the user begin another one. May be called again."""
        self._archives.end(self)

    async def _page(self, last: Image | None) -> list[Image]:
        """The pictures after `last`, oldest first, without those that are made meanwhile."""
        query = Image.filter(owner_id=self.owner_id, created_at__lte=self._began_at)
        if last is not None:
            # The first condition says nothing new, but it is one that an index can be read by.
            query = query.filter(created_at__gte=last.created_at).filter(
                Q(created_at__gt=last.created_at) | Q(id__gt=last.id)
            )
        return await query.order_by("created_at", "id").limit(_PAGE_ROWS)


async def _in_thread(work: Callable[[], T]) -> T:
    """What `work` gives. Also when cancelled it returns only when the thread is done.

    Otherwise what the thread works with would be closed under its hands.
    """
    done = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(done)
    finally:
        if not done.done():
            await asyncio.wait([done])
            done.exception()  # seen, though nobody waits for it any more
