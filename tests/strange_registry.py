"""A container registry over a real socket that can be told to misbehave, and where blobs lie.

Written from the distribution specification, with nothing of what is tested.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from aiohttp import web

from tests.fakes.serving import served
from tests.images import Image, Stored

TOKEN = "a-token-for-nobody"
REPOSITORY = "group/compass"


@dataclass
class StrangeRegistry:
    """What is stored, how it is given, and what was asked."""

    stored: dict[str, Stored] = field(default_factory=dict)
    needs_token: bool = False
    token_status: int = 200
    token_answer: object = field(default_factory=lambda: {"token": TOKEN})
    forgets_token_after: int | None = None
    blobs_elsewhere: bool = False
    can_resume: bool = True
    breaks: list[int] = field(default_factory=list)  # after so many bytes, once each
    status: int = 200  # of blobs
    spoil: Callable[[bytes], bytes] = bytes  # what comes instead of a blob
    digest_told: str | None = None
    requests: list[web.Request] = field(default_factory=list)
    url: str = ""
    elsewhere_url: str = ""

    def push(self, tag: str, pushed: Image) -> None:
        """Stores an image."""
        self.store(tag, pushed.manifest)
        for blob in pushed.blobs:
            self.stored[blob.digest] = blob

    def store(self, tag: str, manifest: Stored) -> None:
        """Stores a manifest or an index."""
        self.stored[tag] = self.stored[manifest.digest] = manifest

    def asked(self, part: str) -> list[web.Request]:
        """The requests whose path has this in it."""
        return [request for request in self.requests if part in request.path]

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["StrangeRegistry"]:
        """Listens on two ports, which are two hosts to a client: the registry, and where its
        tokens come from and its blobs may lie."""
        ours, elsewhere = web.Application(), web.Application()
        ours.router.add_get(f"/v2/{REPOSITORY}/manifests/{{name}}", self._manifest)
        ours.router.add_get(f"/v2/{REPOSITORY}/blobs/{{name}}", self._blob)
        elsewhere.router.add_get("/token", self._give_token)
        elsewhere.router.add_get("/store/{name}", self._stored_blob)
        elsewhere.router.add_get("/circle", self._circle)
        async with served(ours) as self.url, served(elsewhere) as self.elsewhere_url:
            yield self

    def _refusal(self, request: web.Request) -> web.Response | None:
        self.requests.append(request)
        if self.forgets_token_after is not None:
            self.forgets_token_after -= 1
        known = request.headers.get("Authorization") == f"Bearer {TOKEN}"
        if not self.needs_token or (known and self.forgets_token_after != 0):
            return None
        challenge = (
            f'Bearer realm="{self.elsewhere_url}/token",service="here, there",'
            f'scope="repository:{REPOSITORY}:pull"'
        )
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    async def _manifest(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        found = self.stored.get(request.match_info["name"])
        if found is None:
            return web.json_response({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, status=404)
        headers = {"Content-Type": found.media_type}
        if self.digest_told is not None:
            headers["Docker-Content-Digest"] = self.digest_told
        return web.Response(body=found.content, headers=headers)

    async def _blob(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if self.blobs_elsewhere:
            raise web.HTTPTemporaryRedirect(
                f"{self.elsewhere_url}/store/{request.match_info['name']}"
            )
        return await self._give(request)

    async def _stored_blob(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self._give(request)

    async def _give(self, request: web.Request) -> web.StreamResponse:
        found = self.stored.get(request.match_info["name"])
        if found is None or self.status != 200:
            return web.Response(status=404 if found is None else self.status)
        content = self.spoil(found.content)
        response = web.StreamResponse()
        begin = request.http_range.start or 0
        if begin and self.can_resume:
            response.set_status(206)
            last = len(content) - 1
            response.headers["Content-Range"] = f"bytes {begin}-{last}/{len(content)}"
            content = content[begin:]
        response.content_length = len(content)
        await response.prepare(request)
        if self.breaks:
            await response.write(content[: self.breaks.pop(0)])
            if request.transport is not None:
                request.transport.close()
        else:
            await response.write(content)
        return response

    async def _give_token(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        return web.json_response(self.token_answer, status=self.token_status)

    async def _circle(self, request: web.Request) -> web.Response:
        raise web.HTTPFound(request.path)
