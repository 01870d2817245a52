"""Serves the bytes of pictures: a raw ASGI route, because the framework's way is too slow.

Its access rule is declared beside it like every other one's.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from app.errors import NavigatorError, NotFound, UpstreamUnavailable
from app.generation.gallery import may_exist
from app.generation.images import ImageStore
from app.generation.models import Image
from app.web.asgi import App, Receive, Scope, Send, answer_error
from app.web.documentation import Content, RawRoute
from app.web.errors import translated
from app.web.file_answers import (
    REQUEST_HEADERS,
    Description,
    answered_as_known,
    begin_answer,
    documented_answers,
)

PATH_PREFIX = "/api/images/"
ACCESS_RULES = {"/api/images/<image_id>": "public"}
DOCUMENTED = {
    "/api/images/<image_id>": RawRoute(
        summary="The picture, byte for byte as Forge made it.",
        description="`.png` at the end of the id is ignored.",
        operation_id="get_image",
        tag="images",
        answers=documented_answers(Content("image/png", "image/jpeg", "image/webp")),
        errors=(NotFound, UpstreamUnavailable),
        request_headers=REQUEST_HEADERS,
    )
}

_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class StoredPicture:
    """What the table knows of a picture's file. `file_name` is for `ImageStore.path`."""

    file_name: str
    media_type: str
    size_bytes: int
    sha256: str


class ImageFiles:
    """Answers GET and HEAD of `/api/images/<id>`, with or without `.png`; passes the rest on."""

    def __init__(self, other: App, images: ImageStore):
        self._other = other
        self._images = images

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        image_id = _image_id(scope)
        if image_id is None:
            await self._other(scope, receive, send)
            return
        try:
            found = await find_picture(image_id)
            file = await self._open(found)
        except Exception as error:  # the renderer's, for a route without the framework
            await answer_error(send, translated(error))
            return
        try:
            description = Description(found.media_type, f'"{found.sha256}"')
            if await answered_as_known(scope, send, description):
                return
            wanted = await begin_answer(scope, send, description, found.size_bytes)
            if wanted is not None:
                await _stream(send, file, wanted)
        finally:
            await asyncio.to_thread(file.close)

    async def _open(self, found: StoredPicture) -> BinaryIO:
        try:
            return await asyncio.to_thread(self._images.path(found.file_name).open, "rb")
        except OSError as error:
            raise _not_found() from error


def _image_id(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return None
    path = str(scope["path"])
    if not path.startswith(PATH_PREFIX):
        return None
    image_id = path.removeprefix(PATH_PREFIX)
    return None if "/" in image_id else image_id.removesuffix(".png")


async def find_picture(image_id: str) -> StoredPicture:
    """The picture of this id. Raises `NotFound`."""
    if not may_exist(image_id):
        raise _not_found()
    rows: Sequence[tuple[str, str, int, str]] = await Image.filter(id=image_id).values_list(
        "file_name", "media_type", "size_bytes", "sha256"
    )
    if not rows:
        raise _not_found()
    return StoredPicture(*rows[0])


def _not_found() -> NavigatorError:
    return NotFound("Image not found", code="IMAGE_NOT_FOUND")


async def _stream(send: Send, file: BinaryIO, wanted: range) -> None:
    if wanted.start:
        await asyncio.to_thread(file.seek, wanted.start)
    left = len(wanted)
    while left > 0:
        chunk = await asyncio.to_thread(file.read, min(_CHUNK_BYTES, left))
        if not chunk:  # shorter than its row says: break off rather than send a wrong length
            raise OSError("a picture's file is shorter than it should be")
        left -= len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
    if not wanted:
        await send({"type": "http.response.body", "body": b""})
