"""The administrators' API for our own commands, whether a server runs or not.

A running server is asked over HTTP, so it knows at once what was decided. Without one, the same
application answers in this process, with the same locks as a server.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson

from app.cli import server_file
from app.cli.instance import FolderTaken, only_instance
from app.errors import NavigatorError

if TYPE_CHECKING:
    from app.settings import Settings

JsonObject = dict[str, Any]
# Method, path with query, headers, body; gives status and body.
Send = Callable[[str, str, Mapping[str, str], bytes], Awaitable[tuple[int, bytes]]]

_PATIENCE_S = 5.0  # for a server that starts or ends, or another command
_LOOK_INTERVAL_S = 0.1
# Forgetting somebody removes their pictures one by one.
_ANSWER_LIMIT_S = 600.0
_CONNECT_LIMIT_S = 5.0
_PAGE_SIZE = 200


class Refused(NavigatorError):
    """The API said no; `message` is its sentence."""


class AdminApi:
    """The API, called as the command line."""

    def __init__(self, send: Send, token: str):
        self._send = send
        self._token = token

    async def call(
        self, method: str, path: str, body: JsonObject | None = None, **query: Any
    ) -> JsonObject:
        """What the API answers; an empty object if that is nothing. `path` is quoted.

        Raises `Refused`, and `NavigatorError` when there is no answer that makes sense.
        """
        headers = {"Authorization": self._token}
        if body is not None:
            headers["Content-Type"] = "application/json"
        target = f"{path}?{urlencode(query)}" if query else path
        content = b"" if body is None else orjson.dumps(body)
        status, answer = await self._send(method, target, headers, content)
        try:
            told = orjson.loads(answer) if answer else {}
        except orjson.JSONDecodeError:
            told = None
        if not isinstance(told, dict):
            raise NavigatorError(f"Navigator answered {method} {path} with {status} and no JSON.")
        if status >= 400:
            raise Refused(str(told.get("error", status)), code=str(told.get("error_code", status)))
        return told

    async def pages(
        self, path: str, key: str, *, limit: int | None = None, **query: Any
    ) -> JsonObject:
        """All pages of a list as one, or its first `limit` entries."""
        found: dict[Any, JsonObject] = {}  # by id: something new may shift the pages
        page, count = 1, 0
        size = min(limit or _PAGE_SIZE, _PAGE_SIZE)
        while True:
            told = await self.call("GET", path, page=page, limit=size, **query)
            count = told["count"]
            found |= {entry["id"]: entry for entry in told[key] if entry["id"] not in found}
            if not told[key] or page * size >= min(count, limit or count):
                return {"count": count, key: list(found.values())[:limit]}
            page += 1


def call(data_dir: Path | None, ask: Callable[[AdminApi], Awaitable[JsonObject]]) -> JsonObject:
    """What `ask` gets from the API of the Navigator with this data folder."""

    async def asked() -> JsonObject:
        async with opened(data_dir) as api:
            return await ask(api)

    return asyncio.run(asked())


@contextlib.asynccontextmanager
async def opened(
    data_dir: Path | None, *, patience_s: float = _PATIENCE_S
) -> AsyncIterator[AdminApi]:
    """The API of the Navigator with this data folder, for as long as the block runs.

    Raises `NavigatorError` when something holds the folder that cannot be asked, and whatever
    keeps a server from starting.
    """
    from app.settings import data_dir_of

    folder = data_dir or data_dir_of(os.environ)
    deadline_s = time.monotonic() + patience_s
    async with contextlib.AsyncExitStack() as stack:
        # First the lock: a file that a dead server left is not believed.
        while not _holds(stack, folder):
            known = server_file.read(folder)
            if known is not None and not known.is_stale:
                yield await stack.enter_async_context(_over_http(known))
                return
            if time.monotonic() >= deadline_s:
                raise NavigatorError(
                    f"Something works with the data folder {folder} that cannot be asked: a"
                    " Navigator that starts or ends, or one of another version. Try again."
                )
            await asyncio.sleep(_LOOK_INTERVAL_S)
        yield await stack.enter_async_context(_in_process(folder))


def _holds(stack: contextlib.AsyncExitStack, folder: Path) -> bool:
    """Whether the folder is ours now, until the stack is closed."""
    try:
        stack.enter_context(only_instance(folder))
    except FolderTaken:
        return False
    return True


@contextlib.asynccontextmanager
async def _over_http(server: server_file.ServerFile) -> AsyncIterator[AdminApi]:
    import aiohttp
    import yarl

    limits = aiohttp.ClientTimeout(total=_ANSWER_LIMIT_S, sock_connect=_CONNECT_LIMIT_S)
    async with aiohttp.ClientSession(timeout=limits) as http:

        async def send(
            method: str, target: str, headers: Mapping[str, str], body: bytes
        ) -> tuple[int, bytes]:
            url = yarl.URL(server.url + target, encoded=True)
            try:
                async with http.request(
                    method, url, headers=headers, data=body or None, allow_redirects=False
                ) as response:
                    status, content = response.status, await response.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                raise NavigatorError(
                    f"The running Navigator does not answer at {server.url}; try again."
                ) from error
            if status == 401:
                raise NavigatorError(
                    f"What runs at {server.url} does not know this command; restart Navigator."
                )
            return status, content

        yield AdminApi(send, server.token)


@contextlib.asynccontextmanager
async def _in_process(folder: Path) -> AsyncIterator[AdminApi]:
    import logging

    from app import logs
    from app.accounts.caller import COMMAND_LINE_ID
    from app.bootstrap import navigator
    from app.cli.in_process import request
    from app.settings import Settings

    settings = Settings.load(os.environ, data_dir=folder)
    token = server_file.new_token()
    logs.configure(folder, secrets=(*settings.secrets, token), level=logging.WARNING)
    url = _url_for_links(settings)
    async with navigator(settings, programs={token: COMMAND_LINE_ID}, working=False) as ours:

        async def send(
            method: str, target: str, headers: Mapping[str, str], body: bytes
        ) -> tuple[int, bytes]:
            return await request(
                ours.asgi, method, url + target, headers=headers.items(), body=body
            )

        yield AdminApi(send, token)


def _url_for_links(settings: "Settings") -> str:
    """Where a server with these settings will be, by a name that people know."""
    host = settings.bind_host
    with contextlib.suppress(ValueError):  # a name
        address = ip_address(host)
        host = "localhost" if address.is_loopback or address.is_unspecified else host
    return server_file.own_url(host, settings.http_api_port)
