"""Shapes of answers about pictures and categories, for the API's description.

Nothing is checked by them.
"""

from typing import Any

from typing_extensions import TypedDict


class ImageInfo(TypedDict):
    """A picture's infotext, and the parameters that were read from it."""

    info: str
    items: dict[str, Any]
    parameters: dict[str, Any]


class OwnPicture(TypedDict):
    """A picture of the caller's, by its id, and the category that it is in."""

    id: str
    category_id: int | None


class JobsPage(TypedDict):
    """A page of pictures. `count` is that of all pages; pages count from 1."""

    count: int
    totalPages: int
    currentPage: int
    previousPage: int | None
    nextPage: int | None
    images: list[OwnPicture]


class ImageMeta(TypedDict):
    """What is known of a picture besides its parameters. `message_id` is that of old bots."""

    category_id: int | None
    created_at: str
    message_id: str | None
    owner_id: str


class Category(TypedDict):
    """A category of pictures."""

    id: int
    owner_id: str
    name: str


class NewCategory(TypedDict):
    """The id of the category that was made."""

    id: int
