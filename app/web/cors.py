"""CORS for everything outside socket.io, on errors and pictures too: clients live elsewhere."""

from app.web.asgi import App, Message, Receive, Scope, Send

SOCKETIO_PREFIX = "/socket.io"
_HEADERS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    (
        b"access-control-allow-headers",
        b"Origin, X-Requested-With, Content-Type, Accept, Authorization, Range, If-None-Match",
    ),
    (
        b"access-control-expose-headers",
        b"Content-Disposition, Content-Length, Content-Range, ETag, Retry-After, X-Navigator-Stale",
    ),
]
_PREFLIGHT = [
    (b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    (b"content-length", b"0"),
]


class Cors:
    """Adds the headers to every answer, and answers every preflight."""

    def __init__(self, app: App):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or str(scope["path"]).startswith(SOCKETIO_PREFIX):
            await self._app(scope, receive, send)
            return

        async def send_allowing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        if scope["method"] == "OPTIONS":
            await send_allowing(
                {"type": "http.response.start", "status": 200, "headers": _PREFLIGHT}
            )
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send_allowing)
