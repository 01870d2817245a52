"""Serves Compass, and pages of our own, beside the API. A raw ASGI route: see `ACCESS_RULES`.

At one address scripts get JSON and browsers a page: whoever's `Accept` names HTML.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from app.errors import NotFound
from app.web import negotiation
from app.web.asgi import App, Receive, Scope, Send
from app.web.contents import IMMUTABLE, NO_CACHE, answer_content, answer_file
from app.web.documentation import Answer, Content, RawRoute
from app.web.filling import Filler, values_of
from app.web.home import PREFIX as HOME_PREFIX
from app.web.home import Home
from app.web.hosts import Hosts
from app.web.site_files import INDEX, SiteFile, find, is_immutable

ACCESS_RULES = {
    "/navigator": "public",
    "/navigator/<file_name>": "public",
    "/<site_path>": "public",
}
_TAG = {"ETag": "Of the content; answered with 304 in `If-None-Match`."}
_UNCHANGED = Answer(None, 304, "It has not changed.")
DOCUMENTED = {
    "/navigator": RawRoute(
        summary="A page of ours: log in, and make a picture.",
        operation_id="get_home",
        tag="site",
        answers=(Answer(Content("text/html"), description="The page.", headers=_TAG), _UNCHANGED),
    ),
    "/navigator/<file_name>": RawRoute(
        summary="A script, style or icon of the page `/navigator`.",
        operation_id="get_home_file",
        tag="site",
        answers=(Answer(Content("*/*"), description="The file.", headers=_TAG), _UNCHANGED),
        errors=(NotFound,),
    ),
    "/<site_path>": RawRoute(
        summary="Compass: its files, and to browsers its page at any other address.",
        description="Below `/api` and the like, what is not there is told in JSON.",
        operation_id="get_site",
        tag="site",
        answers=(
            Answer(Content("*/*"), description="The file, or the page.", headers=_TAG),
            _UNCHANGED,
            Answer(Content("text/html"), 404, "There is nothing here."),
        ),
        errors=(NotFound,),
    ),
}

# Below these, what is not there is told in JSON, whoever asks.
_NO_PAGES_BELOW = frozenset(
    {"api", "3papi", "socket.io", "embed", "docs", "openapi.json", "metrics"}
)


class Site:
    """Answers GET and HEAD of `/`, of files of the Compass build and of its client-side routes.

    Without a build a page of ours stands in. Everything else is `other`'s.
    """

    def __init__(
        self,
        other: App,
        *,
        folder: Path,
        hosts: Hosts,
        discord_client_id: str | None,
        is_route: Callable[[str], bool],
    ):
        """`folder` may come and go; `is_route` tells which paths `other` answers."""
        self._other = other
        self._folder = folder
        self._hosts = hosts
        self._discord_client_id = discord_client_id
        self._is_route = is_route
        self._filler = Filler()
        self._home = Home()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._other(scope, receive, send)
            return
        path = str(scope["path"])
        if path == HOME_PREFIX or path.startswith(f"{HOME_PREFIX}/"):
            await self._home(scope, receive, send, other=self._other)
        elif path == "/":
            await self._page_or_other(scope, receive, send, status=200)
        elif path.lstrip("/").partition("/")[0].lower() in _NO_PAGES_BELOW or self._is_route(path):
            await self._other(scope, receive, send)
        elif (file := await asyncio.to_thread(self._find, path)) is not None:
            await self._send_file(scope, send, path, file)
        else:
            await self._page_or_other(scope, receive, send, status=404)

    def _find(self, path: str) -> SiteFile | None:
        """A file of the build. A folder without a page is not a build."""
        if find(self._folder, INDEX) is None:
            return None
        return find(self._folder, path)

    async def _page_or_other(
        self, scope: Scope, receive: Receive, send: Send, *, status: int
    ) -> None:
        """The page, which handles the path itself, for browsers. `status` is that of our own."""
        if not negotiation.wants_page(scope):
            await negotiation.pass_on(self._other, scope, receive, send)
        elif (index := await asyncio.to_thread(find, self._folder, INDEX)) is not None:
            await self._send_file(scope, send, f"/{INDEX}", index)
        else:
            await self._home.send_page(scope, send, status=status)

    async def _values(self, scope: Scope) -> Mapping[bytes, bytes]:
        return values_of(
            await self._hosts.origin(scope),
            discord_client_id=self._discord_client_id,
            discord_redirect_uri=await self._hosts.discord_redirect_uri(scope),
        )

    async def _send_file(self, scope: Scope, send: Send, path: str, file: SiteFile) -> None:
        values = await self._values(scope)
        try:
            filled = await asyncio.to_thread(self._filler.fill, file, values)
        except OSError:  # it went between our look and our reading, which is told below
            filled = None
        headers = [(b"content-type", file.media_type.encode())]
        if path == f"/{INDEX}":
            headers.append(negotiation.VARY)
        lifetime = IMMUTABLE if is_immutable(path) else NO_CACHE
        if filled is None:
            await answer_file(scope, send, [*headers, lifetime], file)
            return
        headers.append(NO_CACHE if filled.was_filled else lifetime)
        await answer_content(scope, send, headers, filled.content, etag=filled.etag)
