"""Types and small answers for code that speaks ASGI directly."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson

from app.errors import NavigatorError
from app.web.errors import body_of

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]


def header(scope: Scope, name: bytes) -> str | None:
    """The first value of a request header (lower-case `name`), or None."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


async def answer(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    """Sends a whole answer."""
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


async def answer_error(send: Send, error: NavigatorError) -> None:
    """Sends an error as every other one of ours."""
    body = orjson.dumps(body_of(error))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in error.headers.items()),
    ]
    await answer(send, error.status, headers, body)
