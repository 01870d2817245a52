"""Our own page: says that Navigator runs, logs in, and makes a picture. Works without Compass.

It stands in where there is no Compass, and is always at `/navigator`.
"""

import hashlib
from pathlib import Path

from app.web import negotiation
from app.web.asgi import App, Receive, Scope, Send
from app.web.contents import NO_CACHE, answer_content
from app.web.site_files import INDEX, SiteFile, find

PREFIX = "/navigator"
FOLDER = Path(__file__).parent / "static" / "home"

_POLICY = (
    b"content-security-policy",
    (
        b"default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
        b"form-action 'self'; frame-ancestors 'none'"
    ),
)


class Home:
    """Answers with the files of our page."""

    def __init__(self, folder: Path = FOLDER):
        self._files = {path.name: _content(folder, path.name) for path in folder.iterdir()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send, *, other: App) -> None:
        """Answers `/navigator` and what is below; what is not there is left to `other`."""
        name = str(scope["path"]).removeprefix(PREFIX).removeprefix("/")
        if name == "":
            await self.send_page(scope, send)
        elif name in self._files:
            await self._send(scope, send, name, 200)
        else:
            await other(scope, receive, send)

    async def send_page(self, scope: Scope, send: Send, *, status: int = 200) -> None:
        """The page itself, wherever it is asked for."""
        await self._send(scope, send, INDEX, status)

    async def _send(self, scope: Scope, send: Send, name: str, status: int) -> None:
        content, media_type, etag = self._files[name]
        headers = [(b"content-type", media_type.encode()), NO_CACHE, _POLICY, negotiation.VARY]
        await answer_content(scope, send, headers, content, etag=etag, status=status)


def _content(folder: Path, name: str) -> tuple[bytes, str, str]:
    file = find(folder, f"/{name}")
    if not isinstance(file, SiteFile):
        raise FileNotFoundError(name)
    content = file.path.read_bytes()
    return content, file.media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"'
