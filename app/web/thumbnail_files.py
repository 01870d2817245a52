"""Serves thumbnails of pictures: a raw ASGI route beside that of the pictures.

Its access rule is declared beside it like every other one's.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from app.errors import InvalidInput, NotFound, UpstreamUnavailable
from app.generation.stored_pictures import find_picture
from app.generation.thumbnails import DEFAULT_SIZE_PX, SIZES_PX, Thumbnails, size_at_least
from app.scaling import MEDIA_TYPE, UnreadablePicture
from app.web.asgi import App, Receive, Scope, Send, answer_error
from app.web.documentation import Content, RawRoute
from app.web.errors import translated
from app.web.file_answers import (
    REQUEST_HEADERS,
    answered_as_known,
    begin_answer,
    documented_answers,
)
from app.web.image_files import PATH_PREFIX, described
from app.web.picture_access import PICTURE, PictureAccess

ACCESS_RULES = {"/api/images/<image_id>/thumbnail": PICTURE}


@dataclass
class ThumbnailQuery:
    """`size` is that of the longer side in pixels, at least; a few sizes are made."""

    size: int = DEFAULT_SIZE_PX


DOCUMENTED = {
    "/api/images/<image_id>/thumbnail": RawRoute(
        summary="The picture in small, as WebP.",
        operation_id="get_thumbnail",
        tag="images",
        answers=documented_answers(Content(MEDIA_TYPE)),
        errors=(InvalidInput, NotFound, UnreadablePicture, UpstreamUnavailable),
        request_headers=REQUEST_HEADERS,
        query=ThumbnailQuery,
    )
}

_NUMBER = re.compile(r"[0-9]{1,9}")


class ThumbnailFiles:
    """Answers GET and HEAD of `/api/images/<id>/thumbnail?size=256`; passes the rest on."""

    def __init__(self, other: App, thumbnails: Thumbnails, access: PictureAccess):
        self._other = other
        self._access = access
        self._thumbnails = thumbnails

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        image_id = _image_id(scope)
        if image_id is None:
            await self._other(scope, receive, send)
            return
        try:
            await self._access.check(scope)
            size_px = _size_px(scope)
            found = await find_picture(image_id)
            # One and the same picture and size always give the same bytes.
            description = described(MEDIA_TYPE, f'"{found.sha256}-{size_px}"', self._access)
            if await answered_as_known(scope, send, description):
                return
            content = await self._thumbnails.get(image_id, found.file_name, found.sha256, size_px)
        except Exception as error:  # the renderer's, for a route without the framework
            await answer_error(send, translated(error))
            return
        wanted = await begin_answer(scope, send, description, len(content))
        if wanted is not None:
            part = content[wanted.start : wanted.stop]
            await send({"type": "http.response.body", "body": part})


def _image_id(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return None
    path = str(scope["path"])
    if not path.startswith(PATH_PREFIX):
        return None
    image_id, _, rest = path.removeprefix(PATH_PREFIX).partition("/")
    return image_id.removesuffix(".png") if rest == "thumbnail" else None


def _size_px(scope: Scope) -> int:
    """The size to make for the one asked for. Raises `InvalidInput`."""
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    values = query.get("size", [str(DEFAULT_SIZE_PX)])
    if len(values) == 1 and _NUMBER.fullmatch(values[0]):
        wanted_px = int(values[0])
        if 1 <= wanted_px <= SIZES_PX[-1]:
            return size_at_least(wanted_px)
    raise InvalidInput(f"size: must be a whole number of pixels from 1 to {SIZES_PX[-1]}.")
