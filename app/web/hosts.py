"""The address that a browser used to reach us, if it really is ours. Nothing else is reflected.

What this gives is written into scripts and pages: it consists of letters, digits and `.:/[]_-`.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from app.setting_types import Networks, web_origin
from app.web.address import is_through_proxy, parsed
from app.web.asgi import Scope
from app.web.machine import Machine, look, outward_address

log = logging.getLogger(__name__)

_FRESH_FOR_S = 10.0  # DHCP gives new addresses now and then
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252})(?::([0-9]{0,5}))?")


@dataclass(frozen=True)
class _Host:
    """What stands in a `Host` header. `port` 0 is none."""

    name: str
    port: int

    def origin(self, scheme: str) -> str:
        port = "" if self.port in {0, _DEFAULT_PORTS[scheme]} else f":{self.port}"
        return f"{scheme}://{self.name}{port}"


class Hosts:
    """Knows the names and addresses that are ours."""

    def __init__(
        self,
        *,
        public_url: str | None = None,
        trusted_proxies: Networks = (),
        discord_redirect_uri: str | None = None,
        is_shared: bool = False,
        look: Callable[[], Machine] = look,
        outward_address: Callable[[], IPv4Address | None] = outward_address,
    ):
        """`is_shared` says whether other machines can reach us."""
        self._public = None if public_url is None else web_origin(public_url)
        self._public_host = _parsed_host((self._public or "").partition("://")[2])
        self._trusted_proxies = trusted_proxies
        self._discord_redirect_uri = discord_redirect_uri
        self._is_shared = is_shared
        self._look = look
        self._outward_address = outward_address
        self._machine = Machine()
        self._looked_s = -_FRESH_FOR_S
        self._looking = asyncio.Lock()

    async def origin(self, scope: Scope) -> str:
        """`scheme://host[:port]` under which the sender of a request reaches us.

        The address that the browser used, if it is a name or address of this machine, or
        `PUBLIC_URL`, or vouched for by a trusted proxy. Otherwise `PUBLIC_URL`, and without one
        the address that the connection came to.
        """
        scheme = self._scheme(scope)
        proxied = is_through_proxy(scope, self._trusted_proxies)
        if proxied and (host := _parsed_host(_last(scope, b"x-forwarded-host"))) is not None:
            return self._public_or(host, scheme)
        host = _parsed_host(_only(scope, b"host"))
        if host is not None:
            # Many proxies keep the browser's `Host` and add only the scheme. Others say nothing of
            # it, and what they call us is of no use to the browser.
            vouched = proxied and _last(scope, b"x-forwarded-proto") != ""
            if vouched and self._public and parsed(host.name) == _server_address(scope):
                return self._public
            if vouched or await self._is_ours(host, scope):
                return self._public_or(host, scheme)
        return self._public or _socket_origin(scope)

    async def origin_for_friends(self, scope: Scope) -> str:
        """`scheme://host[:port]` to give to somebody at another machine.

        `PUBLIC_URL`, or what the browser used. If that works on this machine only, our address on
        the network, if we can be reached there.
        """
        if self._public is not None:
            return self._public
        origin = await self.origin(scope)
        host = _parsed_host(origin.partition("://")[2])
        address = None if host is None else parsed(host.name)
        is_loopback = host is not None and (
            host.name == "localhost" or bool(address and address.is_loopback)
        )
        if host is None or not is_loopback or not self._is_shared:
            return origin
        outward = await asyncio.to_thread(self._outward_address)
        return origin if outward is None else _Host(str(outward), host.port).origin("http")

    def is_secure(self, scope: Scope) -> bool:
        """Whether the browser sent the request over TLS, as far as we can know."""
        host = _parsed_host(_only(scope, b"host"))
        as_public = "" if host is None else self._public_or(host, "http")
        return self._scheme(scope) == "https" or as_public.startswith("https:")

    async def discord_redirect_uri(self, scope: Scope) -> str:
        """Where Discord sends the browser back to, in the page and in the exchange alike.

        `DISCORD_REDIRECT_URI`, and without it the origin of the request.
        """
        return self._discord_redirect_uri or await self.origin(scope)

    def _public_or(self, host: _Host, scheme: str) -> str:
        """The origin of `host`; that of `PUBLIC_URL`, scheme and all, if it is meant."""
        if self._public is not None and self._public in {host.origin("http"), host.origin("https")}:
            return self._public
        return host.origin(scheme)

    def _scheme(self, scope: Scope) -> str:
        scheme = str(scope.get("scheme", "http"))
        if is_through_proxy(scope, self._trusted_proxies):
            scheme = _last(scope, b"x-forwarded-proto").lower() or scheme
        return "https" if scheme in {"https", "wss"} else "http"

    async def _is_ours(self, host: _Host, scope: Scope) -> bool:
        if self._public_host is not None and host.name == self._public_host.name:
            return True
        address = parsed(host.name.rstrip("."))
        if address is not None and (address.is_loopback or address == _server_address(scope)):
            return True
        machine = await self._fresh_machine()
        if address is not None:
            return address in machine.addresses
        return host.name.rstrip(".") in machine.names | {"localhost"}

    async def _fresh_machine(self) -> Machine:
        async with self._looking:
            if time.monotonic() - self._looked_s >= _FRESH_FOR_S:
                self._looked_s = time.monotonic()
                try:
                    self._machine = await asyncio.to_thread(self._look)
                except OSError as error:
                    log.warning("the addresses of this machine are not known: %s", error)
            return self._machine


def _parsed_host(text: str) -> _Host | None:
    """Name in lower case (IPv6 in brackets, as short as it goes) and port; None if absurd."""
    match = _HOST.fullmatch(text)
    port = int((match and match[2]) or 0)
    if match is None or port > 65535 or match[2] == "0":
        return None
    name = match[1].lower()
    if name.startswith("["):
        try:
            name = f"[{IPv6Address(name[1:-1])}]"
        except ValueError:
            return None
    return _Host(name, port)


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _only(scope: Scope, name: bytes) -> str:
    """The value of a header that may come once."""
    values = _values(scope, name)
    return values[0].strip() if len(values) == 1 else ""


def _last(scope: Scope, name: bytes) -> str:
    """The entry that the nearest proxy wrote, which is the one that we trust."""
    return ",".join(_values(scope, name)).rpartition(",")[2].strip()


def _server_address(scope: Scope) -> IPv4Address | IPv6Address | None:
    return parsed(str((scope.get("server") or ("", None))[0]))


def _socket_origin(scope: Scope) -> str:
    scheme = "https" if scope.get("scheme") in {"https", "wss"} else "http"
    address = _server_address(scope)
    if address is None:
        return f"{scheme}://localhost"
    name = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    return _Host(name, int(scope["server"][1] or 0)).origin(scheme)
