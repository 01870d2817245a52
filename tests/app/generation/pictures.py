"""Rows of pictures without files, for tests of the gallery."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.generation.gallery import Gallery
from app.generation.images import ImageStore
from app.generation.models import Image
from app.generation.picture_counts import PictureCounts
from app.generation.previews import Previews
from app.generation.stored_pictures import StoredPictures
from tests.building import OWNER

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def make_gallery(images: ImageStore, counts: PictureCounts | None = None) -> Gallery:
    """A gallery on the database that is open."""
    return Gallery(images, StoredPictures(), Previews(), counts or PictureCounts())


def new_image(image_id: str, *, owner_id: str = OWNER, **fields: Any) -> Image:
    """A row that is not in the table yet."""
    described = {"width": 64, "height": 64, "size_bytes": 3, "infotext": "", "parameters": {}}
    return Image(
        id=image_id,
        owner_id=owner_id,
        file_name=f"ab/{image_id}.png",
        media_type="image/png",
        sha256="0" * 64,
        **described | fields,
    )


async def make_image(
    image_id: str, *, owner_id: str = OWNER, second: int = 0, category_id: int | None = None
) -> Image:
    """A picture that was stored so many seconds after `BEGIN`."""
    image = new_image(image_id, owner_id=owner_id, category_id=category_id)
    await image.save(force_create=True)
    # The field fills itself in.
    image.created_at = BEGIN + timedelta(seconds=second)
    await image.save(update_fields=["created_at"])
    return image
