"""A host of files, as CivitAI's are: it continues, redirects, breaks off, and lies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from tests.fakes.serving import Fault, served


@dataclass(frozen=True)
class Fetched:
    """One request. `authorization` is the header, None for none."""

    path: str
    start: int
    authorization: str | None
    target: str


@dataclass(frozen=True)
class Cut:
    """The connection ends after so many more bytes."""

    after_bytes: int


@dataclass(frozen=True)
class Redirect:
    """Says to ask elsewhere."""

    location: str
    status: int = 307


@dataclass(frozen=True)
class Endless:
    """A body that has no end."""


@dataclass(frozen=True)
class Stalled:
    """So many bytes, and then nothing more comes."""

    after_bytes: int


Trick = Fault | Cut | Redirect | Endless | Stalled


@dataclass
class FileHost:
    """What it has, what it does wrong, and what it was asked.

    `tricks` says by path what is done there, one for each request; then it does what is right.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    tricks: dict[str, list[Trick]] = field(default_factory=dict)
    continues: bool = True
    tells_length: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    fetched: list[Fetched] = field(default_factory=list)
    url: str = ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["FileHost"]:
        """Has its files below `url` while the block runs."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self.answer)
        async with served(app) as origin:
            self.url = origin
            yield self

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What it does with one request."""
        path = request.match_info["path"]
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        authorization = request.headers.get("Authorization")
        self.fetched.append(Fetched(path, start, authorization, request.raw_path))
        tricks = self.tricks.get(path)
        trick = tricks.pop(0) if tricks else None
        if isinstance(trick, Fault):
            return await trick.answer(request)
        if isinstance(trick, Redirect):
            return web.Response(status=trick.status, headers={"Location": trick.location})
        if isinstance(trick, Endless):
            return await self._endless(request)
        if path not in self.files:
            return web.Response(status=404)
        return await self._send(request, self.files[path], start if self.continues else 0, trick)

    async def _send(
        self, request: web.Request, content: bytes, start: int, trick: Trick | None
    ) -> web.StreamResponse:
        if start and start >= len(content):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
        response = web.StreamResponse(status=206 if start else 200, headers=dict(self.headers))
        response.content_type = "application/octet-stream"
        if start:
            told = f"bytes {start}-{len(content) - 1}/{len(content)}"
            response.headers["Content-Range"] = told
        if self.tells_length:
            response.content_length = len(content) - start
        else:
            response.enable_chunked_encoding()
        await response.prepare(request)
        if isinstance(trick, Cut | Stalled):
            await response.write(content[start : start + trick.after_bytes])
            if isinstance(trick, Stalled):
                await asyncio.Event().wait()
            if request.transport is not None:
                request.transport.close()
            return response
        await response.write(content[start:])
        return response

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "application/octet-stream"
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(bytes(256 * 1024))
        return response
