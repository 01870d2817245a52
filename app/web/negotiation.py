"""Whether the sender of a request wants to see a page. Scripts get JSON at the same address."""

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from app.web.asgi import App, Message, Receive, Scope, Send

VARY = (b"vary", b"Accept")


def wants_page(scope: Scope) -> bool:
    """Whether `Accept` names HTML itself, and no less than JSON: a wildcard is no wish for it."""
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"]
    html = json = 0.0
    for media_range, quality in parse_accept_header(",".join(lines), MIMEAccept):
        media_type = media_range.partition(";")[0].strip().lower()
        if media_type == "text/html":
            html = max(html, quality)
        elif media_type == "application/json":
            json = max(json, quality)
    return html > 0 and html >= json


async def pass_on(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Lets `app` answer, and says that browsers get something else here."""

    async def send_varying(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), VARY]}
        await send(message)

    await app(scope, receive, send_varying)
