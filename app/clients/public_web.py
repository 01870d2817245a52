"""Connections to public addresses only, for places that somebody else names.

Whoever can make us ask an address could otherwise make us ask this machine's, or one of the
owner's home. The check is made on the addresses that are connected to, after the name was looked
up, so a name that means something else a moment later gets nowhere. Through a proxy, names are
looked up by the proxy: then only addresses and the names of this machine are checked.
"""

import contextlib
import re
import socket
import urllib.request
from collections.abc import Callable, Collection, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import aiohttp
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

from app.errors import UpstreamFailed

Place = tuple[str, int]
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = IPv6Network("64:ff9b::/96")
# Not public, though the library of some versions of Python says so (IANA's registries).
_NOT_PUBLIC = tuple(
    ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "2002::/16", "3fff::/20")
)
# Names that only mean something at home (RFC 6761, 6762, 8375, and what routers make up).
_LOCAL_NAMES = frozenset({
    "localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "private",
    "arpa", "test",
})  # fmt: skip
_NAME = re.compile(r"([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+[a-z][a-z0-9-]*", re.ASCII)


class NotPublic(UpstreamFailed):
    """We were sent to an address that is not one of the public web."""

    code = "NOT_PUBLIC"


def is_public(address: str) -> bool:
    """Whether an address, as text, is one of the public web, also behind IPv6 disguises."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped
        if found in _NAT64:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if int(found) >> 32 == 0:  # IPv4-compatible, long out of use
            return False
        if found.is_site_local or found.scope_id is not None:
            return False
    if any(found.version == one.version and found in one for one in _NOT_PUBLIC):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


class PublicResolver(AbstractResolver):
    """Looks names up, and gives public addresses only, besides those of trusted places."""

    def __init__(
        self, *, trusted: Collection[Place], service: str, resolver: AbstractResolver | None = None
    ):
        """`trusted` are hosts and ports that may be anywhere."""
        self._trusted = frozenset(trusted)
        self._service = service
        self._resolver = resolver or aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All of a name's addresses must be public: raises `NotPublic` if one is not."""
        found = await self._resolver.resolve(host, port, family)
        if (host.lower(), port) not in self._trusted:
            for one in found:
                if not is_public(one["host"]):
                    raise _refused(self._service)
        return found

    async def close(self) -> None:
        """Ends the resolver behind this one."""
        await self._resolver.close()


class PublicWeb:
    """Connections for addresses that somebody else names. Open it, and ask `check` for each."""

    def __init__(
        self,
        *,
        trusted: Iterable[str],
        service: str,
        resolver: AbstractResolver | None = None,
        proxies: Callable[[], dict[str, str]] = urllib.request.getproxies,
    ):
        """`trusted` are addresses of the owner's, such as `http://nas:8080/api`."""
        self._service = service
        self._trusted = frozenset(place(yarl.URL(url)) for url in trusted)
        self._proxies = frozenset(_places(proxies().values()))
        self._resolver = resolver

    def session(self) -> aiohttp.ClientSession:
        """The connections; close them at the end. Bodies are given as they come, not unpacked."""
        resolver = PublicResolver(
            trusted=self._trusted | self._proxies, service=self._service, resolver=self._resolver
        )
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver),
            trust_env=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    def is_trusted(self, url: yarl.URL) -> bool:
        """Whether it is at one of the owner's addresses."""
        return url.host is not None and place(url) in self._trusted

    def check(self, url: yarl.URL) -> None:
        """Raises `UpstreamFailed` for an address that may not be asked, as far as its text tells.

        Addresses are public, and asked over TLS; those of the owner's need not be.
        """
        try:
            is_web = url.scheme in _DEFAULT_PORTS and bool(url.host and url.port)
            has_user = "@" in url.raw_authority
        except ValueError:  # of the port
            is_web = has_user = False
        if not is_web or has_user:
            raise UpstreamFailed("We were sent to no place of the web.", service=self._service)
        if self.is_trusted(url):
            return
        if url.scheme != "https":
            raise UpstreamFailed("We were sent to a place without TLS.", service=self._service)
        host = (url.raw_host or "").rstrip(".").lower()
        is_name = _NAME.fullmatch(host) and host.rpartition(".")[2] not in _LOCAL_NAMES
        if not (is_name or is_public(host)) or place(url) in self._proxies:
            raise _refused(self._service)


def place(url: yarl.URL) -> Place:
    """Host and port of an address."""
    return (url.host or "").lower(), url.port or _DEFAULT_PORTS.get(url.scheme, 0)


def _places(urls: Iterable[str]) -> Iterator[Place]:
    for url in urls:
        with contextlib.suppress(ValueError):
            named = place(yarl.URL(url if "://" in url else f"http://{url}"))
            if named[0]:
                yield named


def _refused(service: str) -> NotPublic:
    return NotPublic("We were sent to an address that is not public.", service=service)
