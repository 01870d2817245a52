"""Serves the bytes of pictures: a raw ASGI route, because the framework's way is too slow.

Its access rule is declared beside it like every other one's.
"""

import asyncio
from io import FileIO

from app.errors import NotFound, UpstreamUnavailable
from app.generation.images import ImageStore
from app.generation.stored_pictures import StoredPicture, StoredPictures, image_missing
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
from app.web.picture_access import PICTURE, PROTECTED_CACHE_CONTROL, PictureAccess

PATH_PREFIX = "/api/images/"
ACCESS_RULES = {"/api/images/<image_id>": PICTURE}
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


class ImageFiles:
    """Answers GET and HEAD of `/api/images/<id>`, with or without `.png`; passes the rest on."""

    def __init__(
        self, other: App, images: ImageStore, stored: StoredPictures, access: PictureAccess
    ):
        self._other = other
        self._access = access
        self._images = images
        self._stored = stored
        self._reads = CachedReads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        image_id = _image_id(scope)
        if image_id is None:
            await self._other(scope, receive, send)
            return
        try:
            await self._access.check(scope)
            found = await self._stored.find(image_id)
            file = await self._open(found)
        except Exception as error:  # the renderer's, for a route without the framework
            await answer_error(send, translated(error))
            return
        try:
            etag = f'"{found.sha256}"'
            description = described(found.media_type, etag, self._access)
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
            raise image_missing() from error

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


def described(media_type: str, etag: str, access: PictureAccess) -> Description:
    """What is said of a file that shows a picture."""
    if access.is_public:
        return Description(media_type, etag)
    return Description(media_type, etag, PROTECTED_CACHE_CONTROL)


def _image_id(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return None
    path = str(scope["path"])
    if not path.startswith(PATH_PREFIX):
        return None
    image_id = path.removeprefix(PATH_PREFIX)
    return None if "/" in image_id else image_id.removesuffix(".png")
