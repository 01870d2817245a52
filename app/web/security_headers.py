"""Headers that make browsers careful, on every answer of both ports. An answer's own ones win."""

from app.web.asgi import App, Message, Receive, Scope, Send

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),  # addresses may hold a login code
)
# Pages of ours say more, in their Content-Security-Policy. Compass has none: it is not ours.
_ON_PAGES = (*_ALWAYS, (b"x-frame-options", b"SAMEORIGIN"))


class SecurityHeaders:
    """Adds to each answer those of the headers that it does not have."""

    def __init__(self, app: App):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_carefully(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower(): value for name, value in message.get("headers", ())}
                is_page = given.get(b"content-type", b"").startswith(b"text/html")
                more = [
                    pair for pair in (_ON_PAGES if is_page else _ALWAYS) if pair[0] not in given
                ]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        await self._app(scope, receive, send_carefully)
