"""Web pages of the launcher's own, for this machine only, each opened with a one-time token.

They load nothing from elsewhere, and no other page may talk to them or show them in a frame.
"""

import contextlib
import html
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import segno
from aiohttp import web

from launcher.people import Invitation
from launcher.ports import LOOPBACK
from launcher.view import Sharing

_COOKIE = "navigator_page"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # or browsers would not say which page sends a form
    "X-Content-Type-Options": "nosniff",
}
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; place-items: center; min-height: 100vh; }
main { max-width: 34rem; padding: 2rem; text-align: center; }
main.wide { max-width: 60rem; width: 100%; box-sizing: border-box; text-align: left;
  align-self: start; }
main.wide button[value=save] { position: sticky; bottom: .5rem; }
h1 { font-size: 1.4rem; }
img { width: min(18rem, 80vw); background: #fff; padding: 1rem; border-radius: .5rem; }
input { width: 100%; box-sizing: border-box; font: inherit; padding: .6rem; }
form { text-align: left; display: grid; gap: .4rem; }
label { font-weight: 600; margin-top: .6rem; }
label.choice { font-weight: 400; margin: .2rem 0; }
label.choice input { width: auto; }
fieldset, details { border: 1px solid #8886; border-radius: .5rem; padding: .6rem 1rem; }
small { opacity: .75; }
[role=alert] { color: #d63031; }
[role=status] { border-left: .3rem solid #26a65b; padding: .2rem 1rem; margin: 1rem 0; }
select { font: inherit; padding: .6rem; }
nav, .row { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center; }
nav { margin: 1rem 0; }
nav form, .row form { display: block; }
.row input { width: auto; flex: 1 1 12rem; }
fieldset { display: grid; gap: .4rem; min-width: 0; }
legend { font-weight: 600; font-size: 1.1rem; padding: 0 .4rem; }
.log { display: flex; flex-direction: column-reverse; overflow: auto; max-height: 75vh;
  border: 1px solid #8886; border-radius: .5rem; }
pre { padding: 1rem; margin: 0; font-size: .85rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
mark { background: #ffd54a; color: #000; }
code { overflow-wrap: anywhere; }
button.plain { background: none; color: inherit; border: 1px solid #8888; padding: .4rem .8rem;
  margin: 0; font-weight: 400; }
button { font: inherit; font-weight: 600; padding: .8rem; margin-top: 1rem; border: 0;
  border-radius: .5rem; background: #26a65b; color: #fff; cursor: pointer; }
button:focus-visible { outline: 3px solid #26a65b88; outline-offset: 2px; }
"""
_SHELL = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} · Navigator</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style></head><body><main{kind}>{body}</main></body></html>
"""
_GONE = "<h1>This page was opened already</h1><p>Open it anew from Navigator's icon.</p>"


class Redirect(str):
    """An address that the browser is sent to, instead of a page."""


@dataclass(frozen=True)
class Asked:
    """What a browser asks of a page: its query, and the form that it sends, None for none."""

    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = field(default=None, repr=False)


# Gives the body of a page, HTML, or a `Redirect`.
Content = Callable[[Asked], Awaitable[str]]


@dataclass
class _Page:
    title: str
    content: Content
    cookie: str
    is_wide: bool
    is_opened: bool = False


class Pages:
    """Serves them on the loopback address."""

    def __init__(self) -> None:
        self._pages: dict[str, _Page] = {}
        self._port = 0

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Pages"]:
        """Answers while the block runs."""
        app = web.Application()
        app.router.add_get("/open/{token}", self._open)
        app.router.add_get("/page/{token}", self._show)
        app.router.add_post("/page/{token}", self._show)
        app.on_response_prepare.append(_protect)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, 0).start()
            self._port = runner.addresses[0][1]
            yield self
        finally:
            await runner.cleanup()

    def add(self, title: str, body: str) -> str:
        """Where a page can be opened, once; by whoever did it also again. `body` is HTML."""

        async def content(_: Asked) -> str:
            return body

        return self.add_form(title, content)

    def add_form(self, title: str, content: Content, *, is_wide: bool = False) -> str:
        """The same for a page that is made anew each time, and takes queries and forms."""
        token = secrets.token_urlsafe(24)
        self._pages[token] = _Page(title, content, secrets.token_urlsafe(24), is_wide)
        return f"http://{LOOPBACK}:{self._port}/open/{token}"

    async def _open(self, request: web.Request) -> web.Response:
        page = self._page(request)
        if page is None or page.is_opened:
            return _answer("Navigator", _GONE, 410)
        page.is_opened = True
        token = request.match_info["token"]
        where = f"/page/{quote(token, safe='')}"
        if request.query_string:
            where += f"?{request.query_string}"
        answer = web.Response(status=303, headers={"Location": where})
        answer.set_cookie(_COOKIE, page.cookie, httponly=True, samesite="Strict",
                          path=f"/page/{token}")  # fmt: skip
        return answer

    async def _show(self, request: web.Request) -> web.Response:
        page = self._page(request)
        given = request.cookies.get(_COOKIE, "")
        if page is None or not secrets.compare_digest(given.encode(), page.cookie.encode()):
            return _answer("Navigator", _GONE, 410)
        form: dict[str, str] | None = None
        if request.method == "POST":
            if request.headers.get("Origin", self._origin) != self._origin:
                return _answer("Navigator", _GONE, 410)
            sent = await request.post()
            form = {name: value for name, value in sent.items() if isinstance(value, str)}
        body = await page.content(Asked(dict(request.query), form))
        if isinstance(body, Redirect):
            return web.Response(status=303, headers={"Location": str(body)})
        return _answer(page.title, body, 200, is_wide=page.is_wide)

    @property
    def _origin(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    def _page(self, request: web.Request) -> _Page | None:
        if request.host != f"{LOOPBACK}:{self._port}":  # a name that leads here is of strangers
            return None
        return self._pages.get(request.match_info["token"])


def invitation(invited: Invitation) -> str:
    """The page with a link and its QR code, as HTML."""
    picture = f"data:image/svg+xml,{quote(invited.qr_svg)}"
    link = html.escape(invited.link, quote=True)
    return (
        "<h1>Invite a friend</h1>"
        f'<p><img alt="QR code of the link" src="{picture}"></p>'
        f'<p><input readonly aria-label="Link" value="{link}"></p>'
        "<p>Whoever opens it first is in. It works once, for seven days. Send it to your friend, or"
        " let them point their phone at the code.</p>"
    )


def sharing(state: Sharing, firewall: str | None) -> str:
    """The page with the address for friends, its QR code, and whether it works, as HTML."""
    if not state.addresses:
        return f"<h1>Share on LAN</h1><p>{html.escape(state.problem or '')}</p>"
    first, *others = state.addresses
    picture = segno.make(first).svg_data_uri(scale=8, border=2)
    told = [
        "<h1>Share on LAN</h1>",
        f'<p><img alt="QR code of the address" src="{picture}"></p>',
        f'<p><input readonly aria-label="Address" value="{html.escape(first, quote=True)}"></p>',
    ]
    if state.problem is None:
        told.append("<p>It works from this computer. Friends in your network can use it.</p>")
    else:
        told.append(
            f"<p><strong>{html.escape(state.problem)}</strong> Sharing ends by itself in five"
            " minutes, unless you choose <em>It works: keep sharing</em> from the icon.</p>"
        )
    if firewall is not None:
        told.append(
            "<p>If a friend cannot connect, let them through this computer's firewall, as an"
            f" administrator:</p><p><code>{html.escape(firewall)}</code></p>"
        )
    if others:
        listed = ", ".join(html.escape(one) for one in others)
        told.append(f"<p>Other addresses of this computer: {listed}</p>")
    return "".join(told)


def _answer(title: str, body: str, status: int, *, is_wide: bool = False) -> web.Response:
    kind = ' class="wide"' if is_wide else ""
    text = _SHELL.format(title=html.escape(title), style=_STYLE, kind=kind, body=body)
    return web.Response(text=text, status=status, content_type="text/html")


async def _protect(_: web.Request, answer: web.StreamResponse) -> None:
    answer.headers.update(_HEADERS)
