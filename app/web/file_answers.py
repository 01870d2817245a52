"""How a file is answered over HTTP: validators, parts, headers. Knows neither disk nor table."""

import re
from dataclasses import dataclass

from app.web.asgi import Scope, Send, answer, header
from app.web.documentation import Answer, Content

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
# For the API's description of routes that answer with files.
REQUEST_HEADERS = {
    "Range": "One range of bytes, such as `bytes=0-1023`.",
    "If-Range": "An ETag; the range counts only if it is still that of the file.",
    "If-None-Match": "ETags that the client has.",
}
_CACHE_CONTROL = "private, max-age=86400"


def documented_answers(content: Content) -> tuple[Answer, ...]:
    """For the API's description: how a route answers whose files are of these media types."""
    tag = {"ETag": "Of the bytes; answered with 304 in `If-None-Match`."}
    span = {"Content-Range": "Which bytes they are, of how many."}
    return (
        Answer(content, description="The file.", headers=tag),
        Answer(content, 206, "The part that was asked for.", tag | span),
        Answer(None, 304, "It has not changed.", tag),
        Answer(None, 416, "It has not so many bytes.", span),
    )


@dataclass(frozen=True)
class Description:
    """What is said of a file. `etag` is a strong one, with its quotation marks."""

    media_type: str
    etag: str
    cache_control: str = _CACHE_CONTROL

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of every answer about it."""
        return [
            (b"content-type", self.media_type.encode()),
            (b"etag", self.etag.encode()),
            (b"cache-control", self.cache_control.encode()),
            (b"accept-ranges", b"bytes"),
            (b"x-content-type-options", b"nosniff"),
        ]


async def answered_as_known(scope: Scope, send: Send, file: Description) -> bool:
    """Whether the client has the file already; then it was told so (304)."""
    if not _is_known(header(scope, b"if-none-match"), file.etag):
        return False
    await answer(send, 304, file.headers())
    return True


async def begin_answer(
    scope: Scope, send: Send, file: Description, size_bytes: int
) -> range | None:
    """Sends everything before the body; gives the bytes to send now, None when that was all."""
    headers = file.headers()
    wanted = _wanted(scope, file.etag, size_bytes)
    if wanted is None:
        headers.append((b"content-range", f"bytes */{size_bytes}".encode()))
        headers.append((b"content-length", b"0"))
        await answer(send, 416, headers)
        return None
    status = 206 if len(wanted) < size_bytes else 200
    headers.append((b"content-length", str(len(wanted)).encode()))
    if status == 206:
        span = f"bytes {wanted.start}-{wanted.stop - 1}/{size_bytes}"
        headers.append((b"content-range", span.encode()))
    if scope["method"] == "HEAD":
        await answer(send, status, headers)
        return None
    await send({"type": "http.response.start", "status": status, "headers": headers})
    return wanted


def _is_known(if_none_match: str | None, etag: str) -> bool:
    if if_none_match is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag in tags


def _wanted(scope: Scope, etag: str, size_bytes: int) -> range | None:
    """The bytes asked for: everything unless there is one valid range; None if it has none."""
    everything = range(size_bytes)
    match = _RANGE.fullmatch((header(scope, b"range") or "").strip())
    if_range = header(scope, b"if-range")
    if match is None or (if_range is not None and if_range.strip() != etag):
        return everything
    first, last = match.groups()
    if not first and not last:
        return everything
    if not first:  # the last so many bytes
        count = int(last)
        return range(max(0, size_bytes - count), size_bytes) if count else None
    start = int(first)
    stop = min(int(last) + 1, size_bytes) if last else size_bytes
    if start >= size_bytes:
        return None
    return range(start, stop) if stop > start else everything
