"""Serves the bytes of pictures: a raw ASGI route, because the framework's way is too slow.

Its access rule is declared beside it like every other one's.
"""

import asyncio
from dataclasses import dataclass
from io import FileIO

from app.database.sql import rows
from app.errors import NavigatorError, NotFound, UpstreamUnavailable
from app.generation.gallery import may_exist
from app.generation.images import ImageStore
from app.generation.models import Image
from app.web.asgi import App, Receive, Scope, Send, answer_error
from app.web.cached_reads import CachedReads
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

_PICTURE = "SELECT file_name, media_type, size_bytes, sha256 FROM generated_image WHERE id = ?"


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
        self._reads = CachedReads()

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
                await self._stream(send, file, wanted)
        finally:
            file.close()

    async def _open(self, found: StoredPicture) -> FileIO:
        try:
            return await asyncio.to_thread(FileIO, self._images.path(found.file_name))
        except OSError as error:
            raise _not_found() from error

    async def _stream(self, send: Send, file: FileIO, wanted: range) -> None:
        left = wanted
        while left:
            piece = await self._reads.read(file, left.start, len(left))
            if not piece:  # shorter than its row says: break off rather than send a wrong length
                raise OSError("a picture's file is shorter than it should be")
            left = left[len(piece) :]
            await send({"type": "http.response.body", "body": piece, "more_body": bool(left)})
        if not wanted:
            await send({"type": "http.response.body", "body": b""})


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
    found = await rows(Image._meta.db, _PICTURE, [image_id])
    if not found:
        raise _not_found()
    return StoredPicture(**found[0])


def _not_found() -> NavigatorError:
    return NotFound("Image not found", code="IMAGE_NOT_FOUND")
