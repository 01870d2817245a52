"""Answers raw GET and HEAD requests with bytes or a file: validators, lengths, chunks."""

import asyncio
from typing import BinaryIO

from werkzeug.http import parse_etags

from app.errors import NotFound
from app.web.asgi import Headers, Scope, Send, answer, answer_error, header
from app.web.site_files import SiteFile

NOSNIFF = (b"x-content-type-options", b"nosniff")
NO_CACHE = (b"cache-control", b"no-cache")
IMMUTABLE = (b"cache-control", b"public, max-age=31536000, immutable")
_CHUNK_BYTES = 256 * 1024


async def answer_content(
    scope: Scope, send: Send, headers: Headers, content: bytes, *, etag: str, status: int = 200
) -> None:
    """Sends `content`; only its length for HEAD, and 304 to whoever has it. `etag` is quoted."""
    headers = [*headers, NOSNIFF, (b"etag", etag.encode())]
    if status == 200 and _is_known(scope, etag):
        await answer(send, 304, headers)
        return
    headers.append((b"content-length", str(len(content)).encode()))
    await answer(send, status, headers, b"" if scope["method"] == "HEAD" else content)


async def answer_file(scope: Scope, send: Send, headers: Headers, file: SiteFile) -> None:
    """Streams a file in the same way; 404 if it has gone meanwhile."""
    try:
        source = await asyncio.to_thread(file.open)
    except OSError:
        await answer_error(
            send, NotFound("There is nothing at this address.", code="UNKNOWN_ROUTE")
        )
        return
    try:
        etag = f'"{file.version}"'
        headers = [*headers, NOSNIFF, (b"etag", etag.encode())]
        if _is_known(scope, etag):
            await answer(send, 304, headers)
            return
        headers.append((b"content-length", str(file.size_bytes).encode()))
        if scope["method"] == "HEAD" or file.size_bytes == 0:
            await answer(send, 200, headers)
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _stream(send, source, file.size_bytes)
    finally:
        await asyncio.to_thread(source.close)


async def _stream(send: Send, source: BinaryIO, left_bytes: int) -> None:
    while left_bytes > 0:
        chunk = await asyncio.to_thread(source.read, min(_CHUNK_BYTES, left_bytes))
        if not chunk:  # cut while we read it: break off rather than send a wrong length
            raise OSError("a file is shorter than it was")
        left_bytes -= len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": left_bytes > 0})


def _is_known(scope: Scope, etag: str) -> bool:
    known = header(scope, b"if-none-match")
    return known is not None and parse_etags(known).contains_weak(etag.strip('"'))
