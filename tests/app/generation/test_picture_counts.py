"""Tests of `app/generation/picture_counts.py`, on both databases."""

import asyncio
import contextlib

import pytest

from app.generation.models import Category
from app.generation.picture_counts import PictureCounts
from tests.app.generation.pictures import make_image
from tests.building import OWNER, STRANGER, make_user

pytestmark = pytest.mark.usefixtures("owner")


async def total(counts: PictureCounts, category_id: int | None = None) -> int | None:
    return (await counts.of(OWNER, category_id)).total


async def test_lists_are_read_once_and_then_followed() -> None:
    counts = PictureCounts()
    mine = (await Category.create(owner_id=OWNER, name="mine")).id
    other = (await Category.create(owner_id=OWNER, name="other")).id
    await make_image("one")
    image = await make_image("two", category_id=mine)
    assert (await total(counts), await total(counts, mine)) == (2, 1)
    await make_image("unnoticed", category_id=mine)
    assert (await total(counts), await total(counts, mine)) == (2, 1)
    with counts.changing(OWNER) as changes:
        changes.added(await make_image("three", category_id=mine))
    assert (await total(counts), await total(counts, mine)) == (3, 2)
    with counts.changing(OWNER) as changes:
        changes.moved(image, mine, other)
    assert (await total(counts), await total(counts, mine)) == (3, 1)
    with counts.changing(OWNER) as changes:
        changes.removed(image)
    assert (await total(counts), await total(counts, mine)) == (2, 0)


async def test_lists_are_read_anew_after_a_change_that_failed() -> None:
    counts = PictureCounts()
    assert await total(counts) == 0
    with contextlib.suppress(ZeroDivisionError), counts.changing(OWNER) as changes:
        changes.added(await make_image("committed"))
        raise ZeroDivisionError
    assert await total(counts) == 1


async def test_what_was_read_during_a_change_is_not_kept() -> None:
    """It may hold the change already, or not."""
    counts = PictureCounts(spacing=2)
    images = [await make_image(f"picture-{number}", second=number) for number in range(9)]
    with counts.changing(OWNER) as changes:
        changes.added(images[0])
        assert await total(counts) == 9
    assert await total(counts) == 9
    with counts.changing(OWNER) as changes:
        changes.removed(images[0])
    assert await total(counts) == 8


async def test_change_that_begins_while_pictures_are_read_is_not_counted_twice() -> None:
    counts = PictureCounts()
    reading = asyncio.create_task(counts.of(OWNER))
    await asyncio.sleep(0)
    with counts.changing(OWNER) as changes:
        changes.added(await make_image("one"))
    await reading
    assert await total(counts) == 1


async def test_two_changes_at_once_both_count() -> None:
    counts = PictureCounts()
    await make_image("zero")
    assert await total(counts) == 1
    with counts.changing(OWNER) as first, counts.changing(OWNER) as second:
        first.added(await make_image("one"))
        second.added(await make_image("two"))
        assert await total(counts) == 1
    assert await total(counts) == 3


async def test_many_who_ask_at_once_get_the_same() -> None:
    counts = PictureCounts(spacing=2)
    for number in range(9):
        await make_image(f"picture-{number}", second=number)
    found = await asyncio.gather(*(counts.of(OWNER) for _ in range(9)))
    assert {id(anchors) for anchors in found} == {id(found[0])}
    assert [found[0].before(rank)[1] for rank in range(9)] == [0, 0, 2, 2, 4, 4, 6, 6, 8]


async def test_lists_of_missing_categories_are_not_kept() -> None:
    counts = PictureCounts()
    first = await counts.of(OWNER, 7)
    assert first.total == 0
    assert await counts.of(OWNER, 7) is not first


async def test_everything_is_read_before_anybody_asks() -> None:
    counts = PictureCounts()
    await make_user(STRANGER)
    mine = (await Category.create(owner_id=OWNER, name="mine")).id
    await make_image("one", category_id=mine)
    await make_image("two", owner_id=STRANGER)
    await counts.read_all()
    await make_image("unnoticed", category_id=mine)
    await make_image("unnoticed-too", owner_id=STRANGER)
    assert (await total(counts), await total(counts, mine)) == (1, 1)
    assert (await counts.of(STRANGER)).total == 1


async def test_forgotten_category_is_read_anew() -> None:
    counts = PictureCounts()
    mine = (await Category.create(owner_id=OWNER, name="mine")).id
    await make_image("one", category_id=mine)
    assert await total(counts, mine) == 1
    await Category.filter(id=mine).delete()
    counts.forget(OWNER, mine)
    assert (await total(counts), await total(counts, mine)) == (1, 0)
