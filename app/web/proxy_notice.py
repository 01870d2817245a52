"""Tells the owner of a reverse proxy that they forgot to name in `TRUSTED_PROXIES`."""

import logging

from app.setting_types import Networks
from app.web.address import is_through_proxy, parsed
from app.web.asgi import App, Receive, Scope, Send

log = logging.getLogger(__name__)

_FORWARDING = frozenset(
    {
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"forwarded",
        b"cf-connecting-ip",
    }
)
# Of more peers than this none is told of: somebody invents the header, and would fill the log.
_MAX_PEERS = 100


class ProxyNotice:
    """Logs once for each peer that forwards requests without being trusted; changes nothing."""

    def __init__(self, app: App, trusted_proxies: Networks, *, max_peers: int = _MAX_PEERS):
        self._app = app
        self._trusted_proxies = trusted_proxies
        self._max_peers = max_peers
        self._told_of: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and len(self._told_of) < self._max_peers:
            for name, _ in scope["headers"]:
                if name in _FORWARDING:
                    self._tell(scope, name.decode())
                    break
        await self._app(scope, receive, send)

    def _tell(self, scope: Scope, name: str) -> None:
        if is_through_proxy(scope, self._trusted_proxies):
            return
        peer = str(parsed(str((scope.get("client") or ("",))[0])) or "somebody")
        if peer in self._told_of:
            return
        self._told_of.add(peer)
        log.warning(
            "%s sends the header %s and is probably a reverse proxy, but does not stand in "
            "TRUSTED_PROXIES: its headers are ignored, and everybody behind it is one client",
            peer,
            name,
        )
