"""The outermost layer: keeps the realtime port to socket.io, and ends websockets at shutdown."""

import asyncio

from app.errors import NotFound
from app.web.asgi import App, Message, Receive, Scope, Send, answer_error
from app.web.cors import SOCKETIO_PREFIX

_GOING_AWAY = 1001


class Gate:
    """Wraps the whole application. Call `drain` when the server stops.

    Hypercorn waits for open websockets for ever on Python 3.12 and later, so while draining each
    of them is told that its client has gone.
    """

    def __init__(self, app: App, *, realtime_port: int | None):
        """On `realtime_port` only socket.io is answered; None when there is no such port."""
        self._app = app
        self._realtime_port = realtime_port
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """Ends every websocket."""
        self._draining.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif not self._is_welcome(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 4404})
            else:
                await answer_error(
                    send,
                    NotFound("This port serves socket.io only.", code="UNKNOWN_ROUTE"),
                )
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_welcome(self, scope: Scope) -> bool:
        server = scope.get("server") or (None, None)
        on_realtime_port = self._realtime_port is not None and server[1] == self._realtime_port
        return not on_realtime_port or str(scope["path"]).startswith(SOCKETIO_PREFIX)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        draining = asyncio.create_task(self._draining.wait())
        pending: asyncio.Task[Message] | None = None

        async def receive_or_end() -> Message:
            nonlocal pending
            pending = pending or asyncio.create_task(_received(receive))
            await asyncio.wait((pending, draining), return_when=asyncio.FIRST_COMPLETED)
            if pending.done():
                message, pending = pending.result(), None
                return message
            return {"type": "websocket.disconnect", "code": _GOING_AWAY}

        try:
            await self._app(scope, receive_or_end, send)
        finally:
            draining.cancel()
            if pending is not None:
                pending.cancel()


async def _received(receive: Receive) -> Message:
    return await receive()
