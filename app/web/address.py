"""Where a request really comes from. Headers count only from proxies that the owner named."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from app.setting_types import Networks

UNKNOWN = "unknown"
# Some proxies add the port that the client sent from.
_WITH_PORT = re.compile(r"\[([^\]]+)\]:[0-9]+|([0-9.]+):[0-9]+")


def client_address(scope: dict[str, Any], trusted_proxies: Networks) -> str:
    """The address of the client of an ASGI scope.

    IPv4 in IPv6 notation is IPv4, and every loopback address is 127.0.0.1, so that one browser is
    one address over both families. Of `X-Forwarded-For` the right-most entry that is not itself a
    trusted proxy counts: only that one was written by somebody we trust.
    """
    peer = (scope.get("client") or (UNKNOWN, 0))[0]
    address = parsed(str(peer))
    if address is None:
        return UNKNOWN
    for entry in _forwarded(scope.get("headers", ())):
        if not any(address in network for network in trusted_proxies):
            break
        with_port = _WITH_PORT.fullmatch(entry)
        forwarded = parsed(with_port[1] or with_port[2] if with_port else entry)
        if forwarded is None:
            break
        address = forwarded
    return "127.0.0.1" if address.is_loopback else str(address)


def is_through_proxy(scope: dict[str, Any], trusted_proxies: Networks) -> bool:
    """Whether the request came from a proxy that the owner named, so that its headers count."""
    address = parsed(str((scope.get("client") or (UNKNOWN, 0))[0]))
    return address is not None and any(address in network for network in trusted_proxies)


def _forwarded(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[str]:
    values = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    return reversed([entry.strip() for entry in ",".join(values).split(",") if entry.strip()])


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """The address that `text` is, IPv4 in IPv6 notation as IPv4, without a zone; else None."""
    try:
        address = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
