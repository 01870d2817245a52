"""Where the bytes of finished pictures are, for those who serve them."""

from collections import OrderedDict
from dataclasses import dataclass

from app.database.sql import rows
from app.errors import NotFound
from app.generation.models import MAX_ID_CHARS, Image

_PICTURE = "SELECT file_name, media_type, size_bytes, sha256 FROM generated_image WHERE id = ?"
_KEPT = 2000


@dataclass(frozen=True)
class StoredPicture:
    """What the table knows of a picture's file. `file_name` is for `ImageStore.path`."""

    file_name: str
    media_type: str
    size_bytes: int
    sha256: str


class StoredPictures:
    """Remembers the pictures that were asked for last: nothing of this ever changes.

    Reading the row takes a third of the time of sending a picture.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, StoredPicture] = OrderedDict()
        self._forgotten = 0

    async def find(self, image_id: str) -> StoredPicture:
        """The picture of this id. Raises `NotFound`.

        For those who open the file then: a row that something else removed is not noticed.
        """
        picture = self._kept.pop(image_id, None)
        if picture is None:
            forgotten = self._forgotten
            picture = await find_picture(image_id)
            if forgotten != self._forgotten:  # perhaps this one, which was read just before
                return picture
        self._kept[image_id] = picture
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return picture

    def forget(self, image_id: str) -> None:
        """To be called when its row is removed."""
        self._forgotten += 1
        self._kept.pop(image_id, None)


async def find_picture(image_id: str) -> StoredPicture:
    """The picture of this id, as the table has it now. Raises `NotFound`."""
    found = await rows(Image._meta.db, _PICTURE, [image_id]) if may_exist(image_id) else []
    if not found:
        raise image_missing()
    return StoredPicture(**found[0])


def may_exist(image_id: str) -> bool:
    """Whether there may be a picture of this id.

    Tortoise fails at a longer one, and MariaDB would not see spaces at the end.
    """
    return len(image_id) <= MAX_ID_CHARS and image_id == image_id.rstrip()


def image_missing() -> NotFound:
    """The refusal of a picture that is not there."""
    return NotFound("Image not found", code="IMAGE_NOT_FOUND")
