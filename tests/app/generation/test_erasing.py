"""Tests of `app/generation/erasing.py`, on both databases."""

from pathlib import Path

import pytest

from app.generation.erasing import PictureEraser
from app.generation.gallery import Gallery
from app.generation.images import ImageStore
from app.generation.models import Category, Image
from app.generation.removal import PictureRemoval
from app.generation.thumbnails import Thumbnails
from app.jobs.queue import JobQueue
from tests.app.generation.pictures import make_gallery, make_image
from tests.building import OWNER, STRANGER, make_user


@pytest.fixture
def gallery(queue: JobQueue, tmp_path: Path) -> Gallery:
    return make_gallery(ImageStore(tmp_path / "images"))


@pytest.mark.parametrize("with_pictures", [True, False])
async def test_categories_go_and_pictures_if_they_shall(
    gallery: Gallery, queue: JobQueue, tmp_path: Path, with_pictures: bool
) -> None:
    await make_user(STRANGER)
    images = ImageStore(tmp_path / "images")
    thumbnails = Thumbnails(tmp_path / "thumbnails", images, max_bytes=10**6)
    eraser = PictureEraser(gallery, PictureRemoval(gallery, images, thumbnails, queue))
    category = await gallery.add_category(OWNER, "faces")
    for number in range(3):
        await make_image(f"picture{number}", category_id=category.id)
    await make_image("other", owner_id=STRANGER)
    await gallery.add_category(STRANGER, "mine")
    await eraser.erase(OWNER, with_pictures)
    assert not await Category.exists(owner_id=OWNER)
    left = await Image.filter(owner_id=OWNER)
    assert [image.category_id for image in left] == ([] if with_pictures else [None] * 3)
    assert await Image.exists(id="other")
    assert await Category.exists(owner_id=STRANGER)
