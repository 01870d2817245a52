"""How large a request's body may be and how long it may take, for every route and for socket.io."""

import asyncio
import contextlib
import time
from dataclasses import dataclass

from app.errors import NavigatorError
from app.web.asgi import App, Message, Receive, Scope, Send, answer_error, header

_MB = 1024 * 1024
# A client that is still sending when we close the connection may never see why.
_LINGER_S = 2.0


@dataclass(frozen=True)
class Limit:
    """Of one body: its size, and the seconds until all of it must be there."""

    size_bytes: int
    total_s: float


WITH_PICTURES = Limit(50 * _MB, total_s=120)
OTHERS = Limit(1 * _MB, total_s=30)
IDLE_S = 20.0
# Where pictures come in, as their routes are spelled.
_PICTURE_PATHS = frozenset({"/api/queue/user/img2img", "/api/queue/img2img"})


class BodyTooLarge(NavigatorError):
    """The body is larger than 1 MB, or than 50 MB where pictures come in."""

    status = 413
    code = "BODY_TOO_LARGE"


class BodyTooSlow(NavigatorError):
    """The body did not arrive in time."""

    status = 408
    code = "REQUEST_TIMEOUT"


class BodyLimits:
    """Refuses bodies that are too large or too slow, also when what it wraps catches our error.

    Reads nothing ahead, and does nothing any more once the body is there or the answer has begun:
    a client may take its time to read.
    """

    def __init__(
        self,
        app: App,
        *,
        with_pictures: Limit = WITH_PICTURES,
        others: Limit = OTHERS,
        idle_s: float = IDLE_S,
    ):
        """`idle_s` is for how long a client may send nothing. Paths come in their own spelling."""
        self._app = app
        self._with_pictures = with_pictures
        self._others = others
        self._idle_s = idle_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _may_have_body(scope):
            await self._app(scope, receive, send)
            return
        limit = self._with_pictures if scope["path"] in _PICTURE_PATHS else self._others
        body = _Body(receive, send, limit, self._idle_s)
        with contextlib.suppress(BodyTooLarge, BodyTooSlow):
            body.check_size(_announced_bytes(scope))
            await self._app(scope, body.receive, body.send)
        if isinstance(body.refusal, BodyTooLarge):
            await _answer_lingering(receive, send, body.refusal)
        elif body.refusal is not None:
            await answer_error(send, body.refusal)


class _Body:
    """One request's body on its way to the application, and the answer on its way back."""

    def __init__(self, receive: Receive, send: Send, limit: Limit, idle_s: float):
        self._receive = receive
        self._send = send
        self._limit = limit
        self._idle_s = idle_s
        self._deadline_s = time.monotonic() + limit.total_s
        self._received_bytes = 0
        self._is_over = False
        self._is_answered = False
        self.refusal: NavigatorError | None = None

    def check_size(self, size_bytes: int) -> None:
        """Raises `BodyTooLarge` if it is, and sends no other answer from now on."""
        if size_bytes > self._limit.size_bytes:
            limit_mb = self._limit.size_bytes / _MB
            self.refusal = BodyTooLarge(
                f"The request body is too large; the limit is {limit_mb:g} MB here."
            )
            raise self.refusal

    async def receive(self) -> Message:
        """The next message of the client's. Raises `BodyTooLarge` or `BodyTooSlow`."""
        if self.refusal is not None:
            raise self.refusal
        if self._is_over or self._is_answered:
            return await self._receive()
        patience_s = min(self._idle_s, self._deadline_s - time.monotonic())
        try:
            async with asyncio.timeout(patience_s):
                message = await self._receive()
        except TimeoutError as error:
            if self._is_answered:
                return await self._receive()
            self.refusal = BodyTooSlow("The request body did not arrive in time.")
            raise self.refusal from error
        self._received_bytes += len(message.get("body", b""))
        self._is_over = not message.get("more_body", False)
        if not self._is_answered:
            self.check_size(self._received_bytes)
        return message

    async def send(self, message: Message) -> None:
        """Passes the answer on, unless we have another one."""
        if self.refusal is None:
            self._is_answered = True
            await self._send(message)


async def _answer_lingering(receive: Receive, send: Send, error: NavigatorError) -> None:
    """Answers, and hears the client out for a moment before the connection is closed."""

    async def send_all_but_the_end(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "more_body": True}
        await send(message)

    await answer_error(send_all_but_the_end, error)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while (message := await receive())["type"] == "http.request":
                if not message.get("more_body", False):
                    break
    await send({"type": "http.response.body", "body": b""})


def _may_have_body(scope: Scope) -> bool:
    """In HTTP/1 a body is announced; in HTTP/2 it need not be."""
    return not str(scope["http_version"]).startswith("1") or any(
        name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"]
    )


def _announced_bytes(scope: Scope) -> int:
    length = header(scope, b"content-length") or ""
    if not (length.isascii() and length.isdigit()):
        return 0
    return int(length[:18])  # more digits than that are too large as well
