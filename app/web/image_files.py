"""Serves the bytes of pictures: a raw ASGI route, because the framework's way is too slow.

Its access rule is declared beside it like every other one's.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from app.errors import NavigatorError, NotFound, UpstreamUnavailable
from app.generation.gallery import may_exist
from app.generation.images import ImageStore
from app.generation.models import Image
from app.web.asgi import App, Receive, Scope, Send, answer, answer_error, header
from app.web.documentation import Answer, Content, RawRoute
from app.web.errors import translated

PATH_PREFIX = "/api/images/"
ACCESS_RULES = {"/api/images/<image_id>": "public"}
_PICTURE = Content("image/png", "image/jpeg", "image/webp")
_TAG = {"ETag": "Of the bytes; answered with 304 in `If-None-Match`."}
_SPAN = {"Content-Range": "Which bytes they are, of how many."}
DOCUMENTED = {
    "/api/images/<image_id>": RawRoute(
        summary="The picture, byte for byte as Forge made it.",
        description="`.png` at the end of the id is ignored.",
        operation_id="get_image",
        tag="images",
        answers=(
            Answer(_PICTURE, description="The picture.", headers=_TAG),
            Answer(_PICTURE, 206, "The part that was asked for.", _TAG | _SPAN),
            Answer(None, 304, "It has not changed.", _TAG),
            Answer(None, 416, "It has not so many bytes.", _SPAN),
        ),
        errors=(NotFound, UpstreamUnavailable),
        request_headers={
            "Range": "One range of bytes, such as `bytes=0-1023`.",
            "If-Range": "An ETag; the range counts only if it is still that of the picture.",
            "If-None-Match": "ETags that the client has.",
        },
    )
}

_CHUNK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_CACHE_CONTROL = b"private, max-age=86400"


@dataclass(frozen=True)
class _File:
    file_name: str
    media_type: str
    size_bytes: int
    etag: str


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
            found = await _find(image_id)
            file = await self._open(found)
        except Exception as error:  # the renderer's, for a route without the framework
            await answer_error(send, translated(error))
            return
        try:
            await _serve(scope, send, found, file)
        finally:
            await asyncio.to_thread(file.close)

    async def _open(self, found: _File) -> BinaryIO:
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


async def _find(image_id: str) -> _File:
    if not may_exist(image_id):
        raise _not_found()
    rows: Sequence[tuple[str, str, int, str]] = await Image.filter(id=image_id).values_list(
        "file_name", "media_type", "size_bytes", "sha256"
    )
    if not rows:
        raise _not_found()
    file_name, media_type, size_bytes, sha256 = rows[0]
    return _File(file_name, media_type, size_bytes, f'"{sha256}"')


def _not_found() -> NavigatorError:
    return NotFound("Image not found", code="IMAGE_NOT_FOUND")


async def _serve(scope: Scope, send: Send, found: _File, file: BinaryIO) -> None:
    headers = [
        (b"content-type", found.media_type.encode()),
        (b"etag", found.etag.encode()),
        (b"cache-control", _CACHE_CONTROL),
        (b"accept-ranges", b"bytes"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if _is_known(header(scope, b"if-none-match"), found.etag):
        await answer(send, 304, headers)
        return
    wanted = _wanted(scope, found)
    if wanted is None:
        headers.append((b"content-range", f"bytes */{found.size_bytes}".encode()))
        headers.append((b"content-length", b"0"))
        await answer(send, 416, headers)
        return
    status = 206 if len(wanted) < found.size_bytes else 200
    headers.append((b"content-length", str(len(wanted)).encode()))
    if status == 206:
        span = f"bytes {wanted.start}-{wanted.stop - 1}/{found.size_bytes}"
        headers.append((b"content-range", span.encode()))
    if scope["method"] == "HEAD":
        await answer(send, status, headers)
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await _stream(send, file, wanted)


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


def _is_known(if_none_match: str | None, etag: str) -> bool:
    if if_none_match is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag in tags


def _wanted(scope: Scope, found: _File) -> range | None:
    """The bytes asked for: everything unless there is one valid range; None if it has none."""
    everything = range(found.size_bytes)
    match = _RANGE.fullmatch((header(scope, b"range") or "").strip())
    if_range = header(scope, b"if-range")
    if match is None or (if_range is not None and if_range.strip() != found.etag):
        return everything
    first, last = match.groups()
    if not first and not last:
        return everything
    if not first:  # the last so many bytes
        count = int(last)
        return range(max(0, found.size_bytes - count), found.size_bytes) if count else None
    start = int(first)
    stop = min(int(last) + 1, found.size_bytes) if last else found.size_bytes
    if start >= found.size_bytes:
        return None
    return range(start, stop) if stop > start else everything
