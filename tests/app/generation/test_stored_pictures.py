"""Tests of `app/generation/stored_pictures.py`, on both databases."""

from pathlib import Path

import pytest

from app.accounts.models import User
from app.errors import NotFound
from app.generation import stored_pictures
from app.generation.gallery import Gallery
from app.generation.images import ImageStore
from app.generation.models import MAX_ID_CHARS, Image
from app.generation.picture_counts import PictureCounts
from app.generation.previews import Previews
from app.generation.stored_pictures import StoredPicture, StoredPictures
from tests.app.generation.pictures import make_image
from tests.building import OWNER


@pytest.fixture
def stored(owner: User) -> StoredPictures:
    return StoredPictures()


async def test_picture_is_found_and_then_remembered(stored: StoredPictures) -> None:
    image = await make_image("fox")
    expected = StoredPicture(image.file_name, "image/png", image.size_bytes, image.sha256)
    assert await stored.find("fox") == expected
    await image.delete()
    assert await stored.find("fox") == expected


@pytest.mark.parametrize("image_id", ["", "fox ", "fo", "x" * MAX_ID_CHARS, "x" * 5000])
async def test_unknown_picture_is_missing_until_it_is_there(
    stored: StoredPictures, image_id: str
) -> None:
    with pytest.raises(NotFound):
        await stored.find(image_id)
    await make_image("fox")
    with pytest.raises(NotFound):
        await stored.find(image_id)
    assert (await stored.find("fox")).file_name == "ab/fox.png"


async def test_removed_picture_is_missing_at_once(owner: User, tmp_path: Path) -> None:
    stored = StoredPictures()
    gallery = Gallery(ImageStore(tmp_path), stored, Previews(), PictureCounts())
    await make_image("fox")
    await stored.find("fox")
    assert await gallery.remove("fox", owner_id=OWNER)
    with pytest.raises(NotFound):
        await stored.find("fox")


async def test_those_asked_for_last_are_remembered(
    stored: StoredPictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_pictures, "_KEPT", 2)
    for image_id in ("a", "b", "c"):
        await make_image(image_id)
    for image_id in ("a", "b", "a", "c"):
        await stored.find(image_id)
    await Image.all().delete()
    assert (await stored.find("a")).file_name == "ab/a.png"
    assert (await stored.find("c")).file_name == "ab/c.png"
    with pytest.raises(NotFound):
        await stored.find("b")


async def test_what_was_read_before_a_removal_is_not_remembered(
    stored: StoredPictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_image("fox")
    read = stored_pictures.find_picture

    async def read_and_lose(image_id: str) -> StoredPicture:
        picture = await read(image_id)
        await Image.filter(id=image_id).delete()
        stored.forget(image_id)
        return picture

    monkeypatch.setattr(stored_pictures, "find_picture", read_and_lose)
    await stored.find("fox")
    monkeypatch.undo()
    with pytest.raises(NotFound):
        await stored.find("fox")
