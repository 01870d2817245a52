"""Tests of `app/generation/gallery.py`, on both databases."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from app.accounts.models import User
from app.errors import NotFound
from app.generation.gallery import Gallery
from app.generation.images import ImageStore
from app.generation.models import Category, Image
from app.generation.picture_counts import PictureCounts
from tests.app.generation.pictures import make_gallery, make_image
from tests.building import OWNER, STRANGER, make_user


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


@pytest.fixture
def gallery(owner: User, images: ImageStore) -> Gallery:
    return make_gallery(images)


async def pages(gallery: Gallery, size: int, category_id: int | None = None) -> list[list[str]]:
    """The ids of all pages."""
    found: list[list[str]] = []
    while True:
        number = len(found) + 1
        page = await gallery.page(OWNER, number=number, size=size, category_id=category_id)
        if not page.pictures:
            return found
        found.append([image_id for image_id, _ in page.pictures])


@pytest.mark.parametrize("size", [1, 3, 7, 10, 11, 40, 100])
async def test_pictures_of_one_second_appear_each_exactly_once(gallery: Gallery, size: int) -> None:
    for number in range(40):
        await make_image(f"picture-{number:02}", second=number // 20)
    expected = [f"picture-{number:02}" for number in reversed(range(40))]
    found = await pages(gallery, size)
    assert [image_id for page in found for image_id in page] == expected
    assert [len(page) for page in found[:-1]] == [size] * (len(found) - 1)


@pytest.mark.parametrize("category", ["", "AND category_id = 1"])
async def test_page_is_read_from_an_index_in_its_order(gallery: Gallery, category: str) -> None:
    """Neither are the pictures of others looked at, nor is anything sorted."""
    for number in range(40):
        await make_image(f"picture-{number:02}", second=number)
    query = (
        f"SELECT id FROM generated_image WHERE owner_id = '{OWNER}' {category} "
        "ORDER BY created_at DESC, id DESC LIMIT 10 OFFSET 20"
    )
    database = Image._meta.db
    explain = "EXPLAIN" if database.capabilities.dialect == "mysql" else "EXPLAIN QUERY PLAN"
    (plan,) = await database.execute_query_dict(f"{explain} {query}")
    told = " ".join(str(value) for value in plan.values()).lower()
    assert "covering index" in told or "using index" in told, plan
    assert "filesort" not in told, plan


async def test_page_beyond_the_last_is_empty_and_tells_the_count(gallery: Gallery) -> None:
    await make_image("the-only-one")
    page = await gallery.page(OWNER, number=2**31, size=10_000)
    assert (page.count, page.pictures) == (1, [])


async def test_pictures_of_others_are_neither_shown_nor_counted(gallery: Gallery) -> None:
    await make_user(STRANGER)
    await make_image("of-a-stranger", owner_id=STRANGER)
    await make_image("of-the-owner")
    page = await gallery.page(OWNER, number=1, size=10)
    assert (page.count, page.pictures) == (1, [("of-the-owner", None)])


async def test_category_filters_pages_and_count(gallery: Gallery) -> None:
    first, second = [await gallery.add_category(OWNER, name) for name in ("first", "second")]
    for number in range(12):
        category = (first, second, None)[number % 3]
        category_id = category.id if category else None
        await make_image(f"picture-{number:02}", second=number, category_id=category_id)
    assert await pages(gallery, 3, first.id) == [
        ["picture-09", "picture-06", "picture-03"],
        ["picture-00"],
    ]
    assert (await gallery.page(OWNER, number=1, size=1, category_id=second.id)).count == 4
    unknown = await gallery.page(OWNER, number=1, size=1, category_id=second.id + 1)
    assert (unknown.count, unknown.pictures) == (0, [])


async def test_count_follows_what_is_removed_and_moved(gallery: Gallery) -> None:
    category = await gallery.add_category(OWNER, "mine")
    for number in range(3):
        await make_image(f"picture-{number}")

    async def counts() -> tuple[int, int]:
        every = await gallery.page(OWNER, number=1, size=1)
        of_category = await gallery.page(OWNER, number=1, size=1, category_id=category.id)
        return every.count, of_category.count

    assert await counts() == (3, 0)
    await gallery.assign("picture-0", category.id, owner_id=OWNER)
    await gallery.assign("picture-1", category.id, owner_id=OWNER)
    await gallery.assign("picture-1", category.id, owner_id=OWNER)
    assert await counts() == (3, 2)
    await gallery.remove("picture-0", owner_id=OWNER)
    await gallery.remove("picture-0", owner_id=OWNER)
    assert await counts() == (2, 1)
    await gallery.assign("picture-1", None, owner_id=OWNER)
    assert await counts() == (2, 0)
    await gallery.assign("picture-1", category.id, owner_id=OWNER)
    await gallery.remove_category(category.id, owner_id=OWNER)
    assert await counts() == (2, 0)
    assert (await Image.get(id="picture-1")).category_id is None


async def test_count_stays_right_when_a_picture_is_moved_and_removed_at_once(
    gallery: Gallery,
) -> None:
    category = await gallery.add_category(OWNER, "mine")
    for number in range(12):
        await make_image(f"picture-{number:02}")
    assert (await gallery.page(OWNER, number=1, size=1)).count == 12
    changes: list[Coroutine[Any, Any, object]] = []
    for number in range(6):
        image_id = f"picture-{number:02}"
        changes.append(gallery.assign(image_id, category.id, owner_id=OWNER))
        changes.append(gallery.remove(image_id, owner_id=OWNER))
        changes.append(gallery.assign(image_id, None, owner_id=OWNER))
    await asyncio.gather(*changes, return_exceptions=True)
    every = await gallery.page(OWNER, number=1, size=100)
    filtered = await gallery.page(OWNER, number=1, size=100, category_id=category.id)
    assert every.count == len(every.pictures) == await Image.all().count() == 6
    assert filtered.count == len(filtered.pictures) == 0


async def test_removed_picture_takes_its_file_along(gallery: Gallery, images: ImageStore) -> None:
    await make_image("picture-1")
    path = images.path("ab/picture-1.png")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"png")
    assert not await gallery.remove("picture-1", owner_id=STRANGER)
    assert path.exists()
    assert await gallery.remove("picture-1", owner_id=OWNER)
    assert not path.exists()
    assert not await Image.exists(id="picture-1")


async def test_picture_whose_file_is_gone_can_be_removed(gallery: Gallery) -> None:
    await make_image("picture-1")
    assert await gallery.remove("picture-1", owner_id=OWNER)


async def test_foreign_pictures_and_categories_look_missing(gallery: Gallery) -> None:
    await make_user(STRANGER)
    await make_image("of-a-stranger", owner_id=STRANGER)
    await make_image("mine")
    theirs = await gallery.add_category(STRANGER, "theirs")
    for image_id, category_id in (
        ("of-a-stranger", None),
        ("missing", None),
        ("mine", theirs.id),
        ("mine", theirs.id + 1),
    ):
        with pytest.raises(NotFound, match="does not exist or you do not own it"):
            await gallery.assign(image_id, category_id, owner_id=OWNER)
    for category_id in (theirs.id, theirs.id + 1):
        with pytest.raises(NotFound):
            await gallery.rename_category(category_id, "stolen", owner_id=OWNER)
        await gallery.remove_category(category_id, owner_id=OWNER)
    assert (await Category.get(id=theirs.id)).name == "theirs"
    assert await gallery.categories(OWNER) == []


async def test_names_of_categories_may_repeat_and_be_empty(gallery: Gallery) -> None:
    for name in ("", "Ü", "ü", "Ü", "🦊" * 47):
        await gallery.add_category(OWNER, name)
    categories = await gallery.categories(OWNER)
    assert [one.name for one in categories] == ["", "Ü", "ü", "Ü", "🦊" * 47]
    await gallery.rename_category(categories[0].id, "first", owner_id=OWNER)
    await gallery.rename_category(categories[0].id, "first", owner_id=OWNER)
    assert (await gallery.categories(OWNER))[0].name == "first"


async def test_counts_are_shared_with_who_stores_pictures(owner: User, images: ImageStore) -> None:
    counts = PictureCounts()
    gallery = make_gallery(images, counts)
    assert (await gallery.page(OWNER, number=1, size=1)).count == 0
    with counts.changing(OWNER) as changes:
        changes.added(await make_image("picture-1"))
    page = await gallery.page(OWNER, number=1, size=1)
    assert (page.count, page.pictures) == (1, [("picture-1", None)])
