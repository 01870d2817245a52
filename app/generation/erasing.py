"""Erases the pictures and categories of a user."""

from app.generation.gallery import Gallery
from app.generation.models import Image
from app.generation.removal import PictureRemoval

_AT_ONCE = 200


class PictureEraser:
    """Removes a user's categories, and their pictures if they shall go too."""

    def __init__(self, gallery: Gallery, removal: PictureRemoval):
        self._gallery = gallery
        self._removal = removal

    async def erase(self, owner_id: str, with_pictures: bool) -> None:
        """Without pictures, those stay as they are, in no category."""
        for category in await self._gallery.categories(owner_id):
            await self._gallery.remove_category(category.id, owner_id=owner_id)
        while with_pictures:
            found = Image.filter(owner_id=owner_id).limit(_AT_ONCE)
            ids = await found.values_list("id", flat=True)
            if not ids:
                return
            for image_id in map(str, ids):
                await self._removal.remove(image_id, owner_id=owner_id)
