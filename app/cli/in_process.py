"""Sends requests to an ASGI application in this very process, without a socket."""

import asyncio
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from app.web.asgi import App, Message, Scope

_CLIENT = ("127.0.0.1", 0)


async def request(
    app: App,
    method: str,
    url: str,
    *,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> tuple[int, bytes]:
    """Status and body of the answer to a request that seems to come from this machine.

    `url` is absolute and quoted. Its host is where the request seems to have arrived.
    """
    sent = False
    status = 0
    chunks: list[bytes] = []

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()  # we stay until the answer is there
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))

    await app(_scope(method, url, headers, len(body)), receive, send)
    return status, b"".join(chunks)


def _scope(method: str, url: str, headers: Iterable[tuple[str, str]], body_bytes: int) -> Scope:
    parts = urlsplit(url)
    given = [("host", parts.netloc), ("content-length", str(body_bytes)), *headers]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given],
        "client": _CLIENT,
        "server": (_address(parts.hostname or ""), parts.port or 80),
        "extensions": {},
    }


def _address(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:  # a name
        return _CLIENT[0]
