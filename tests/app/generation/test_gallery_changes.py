"""Pages of galleries that change all the time, compared with simply sorting everything."""

import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tortoise.exceptions import BaseORMException

from app.accounts.models import User
from app.errors import NotFound
from app.generation.gallery import Gallery
from app.generation.images import ImageStore
from app.generation.models import Category, Image
from app.generation.picture_counts import PictureCounts
from app.generation.previews import Previews
from app.generation.stored_pictures import StoredPictures
from tests.app.generation.pictures import make_image
from tests.building import OWNER

SLOTS = 3
"""Categories; slot 0 is none."""

CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 9), st.integers(0, SLOTS - 1)),
        st.tuples(st.just("add"), st.just(10), st.integers(0, SLOTS - 1)),  # the newest
        st.tuples(st.just("remove"), st.integers(0, 99), st.just(0)),
        st.tuples(st.just("move"), st.integers(0, 99), st.integers(0, SLOTS - 1)),
        st.tuples(st.just("drop"), st.just(0), st.integers(1, SLOTS - 1)),
    ),
    min_size=5,
    max_size=40,
)
EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Changing:
    """A gallery whose lists have an anchor at every second picture, and random changes of it."""

    def __init__(self, folder: Path) -> None:
        self.counts = PictureCounts(spacing=2)
        self.gallery = Gallery(ImageStore(folder), StoredPictures(), Previews(), self.counts)
        self.categories: list[int | None] = [None]
        self.made = 0

    async def begin(self) -> None:
        await Image.all().delete()
        await Category.all().delete()
        for _ in range(1, SLOTS):
            self.categories.append((await self.gallery.add_category(OWNER, "")).id)

    async def change(self, what: str, number: int, slot: int) -> None:
        category_id = self.categories[slot]
        if what == "add":
            self.made += 1
            with self.counts.changing(OWNER) as changes:
                changes.added(
                    await make_image(
                        f"picture-{self.made * 37 % 101:03}",
                        second=number,
                        category_id=category_id,
                    )
                )
            return
        if what == "drop":
            assert category_id is not None
            self.categories[slot] = (await self.gallery.add_category(OWNER, "")).id
            await self.gallery.remove_category(category_id, owner_id=OWNER)
            return
        ids = await Image.all().order_by("id").values_list("id", flat=True)
        if ids and what == "remove":
            await self.gallery.remove(str(ids[number % len(ids)]), owner_id=OWNER)
        elif ids:
            await self.gallery.assign(str(ids[number % len(ids)]), category_id, owner_id=OWNER)

    async def check(self) -> None:
        """Every list, in pages of some sizes, is what the table holds."""
        every = await Image.all()
        every.sort(key=lambda image: (image.created_at, image.id), reverse=True)
        for category_id in self.categories:
            expected = [
                (image.id, image.category_id)
                for image in every
                if category_id in {None, image.category_id}
            ]
            for size in (1, 3, 7):
                pages = [
                    await self.gallery.page(OWNER, number=n, size=size, category_id=category_id)
                    for n in range(1, len(expected) // size + 2)
                ]
                assert [one for page in pages for one in page.pictures] == expected
                assert {page.count for page in pages} == {len(expected)}


@pytest.mark.usefixtures("owner")
@given(CHANGES, st.integers(1, 9))
@EXAMPLES
async def test_pages_are_right_after_every_change(
    tmp_path: Path, changes: list[tuple[str, int, int]], check_every: int
) -> None:
    changing = Changing(tmp_path)
    await changing.begin()
    for index, change in enumerate(changes):
        await changing.change(*change)
        if index % check_every == 0:
            await changing.check()
    await changing.check()


@given(CHANGES, CHANGES)
@EXAMPLES
async def test_pages_are_right_when_changes_and_looks_met(
    owner: User, tmp_path: Path, before: list[Any], changes: list[Any]
) -> None:
    changing = Changing(tmp_path)
    await changing.begin()
    for change in before:
        if change[0] == "add":
            await changing.change(*change)
    looks = [
        changing.gallery.page(owner.id, number=number, size=3, category_id=category_id)
        for number in (1, 2, 3)
        for category_id in changing.categories
    ]
    at_once = [_if_possible(changing.change(*change)) for change in changes]
    await asyncio.gather(*at_once[::2], *looks, *at_once[1::2])
    await changing.check()


async def _if_possible(change: Coroutine[Any, Any, None]) -> None:
    """A category may go while a picture is put into it; MariaDB then ends one of them."""
    with contextlib.suppress(NotFound, BaseORMException):
        await change
