"""Tests of `app/generation/picture_counts.py`, on both databases."""

import asyncio
import contextlib

import pytest

from app.generation.models import Category
from app.generation.picture_counts import PictureCounts
from tests.app.generation.pictures import make_image
from tests.building import OWNER

pytestmark = pytest.mark.usefixtures("owner")


async def test_counts_are_read_once_and_then_followed() -> None:
    counts = PictureCounts()
    category = await Category.create(owner_id=OWNER, name="mine")
    await make_image("one")
    await make_image("two", category_id=category.id)
    assert await counts.of(OWNER) == {None: 1, category.id: 1}
    await make_image("unnoticed")
    with counts.changing(OWNER) as added:
        added[category.id] += 1
    assert await counts.of(OWNER) == {None: 1, category.id: 2}


async def test_pictures_are_counted_anew_after_a_change_that_failed() -> None:
    counts = PictureCounts()
    assert (await counts.of(OWNER)).total() == 0
    with contextlib.suppress(ZeroDivisionError), counts.changing(OWNER) as added:
        await make_image("committed")
        added[None] += 1
        raise ZeroDivisionError
    assert (await counts.of(OWNER)).total() == 1


async def test_what_was_counted_during_a_change_is_not_kept() -> None:
    """It may hold the change already, or not."""
    counts = PictureCounts()
    with counts.changing(OWNER) as added:
        await make_image("one")
        assert (await counts.of(OWNER)).total() == 1
        added[None] += 1
    assert (await counts.of(OWNER)).total() == 1


async def test_change_that_begins_while_pictures_are_counted_is_not_counted_twice() -> None:
    counts = PictureCounts()
    counting = asyncio.create_task(counts.of(OWNER))
    await asyncio.sleep(0)
    with counts.changing(OWNER) as added:
        await make_image("one")
        added[None] += 1
    await counting
    assert (await counts.of(OWNER)).total() == 1


async def test_two_changes_at_once_both_count() -> None:
    counts = PictureCounts()
    await counts.of(OWNER)
    with counts.changing(OWNER) as first, counts.changing(OWNER) as second:
        await make_image("one")
        await make_image("two")
        first[None] += 1
        second[None] += 1
        assert (await counts.of(OWNER)).total() == 0
    assert (await counts.of(OWNER)).total() == 2
