"""The network of this machine: which addresses friends can use, and what keeps them out."""

import asyncio
import contextlib
import errno
import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp
import psutil

_TIMEOUT_S = 5.0
# Of VPNs, containers and virtual machines: friends at home do not come this way.
_VIRTUAL = re.compile(
    r"^(?:lo|docker|br-|veth|virbr|vmnet|vboxnet|tun|tap|wg|zt|utun|ppp|tailscale|nordlynx|cni|"
    r"flannel|lxc|lxd|podman|ham|awdl|llw|isatap|teredo|vEthernet|VMware|VirtualBox|Tailscale|"
    r"ZeroTier|WireGuard|OpenVPN|Bluetooth|Loopback)",
    re.IGNORECASE,
)
_WIRED = re.compile(r"^(?:eth|en(?!.*wl)|Ethernet)", re.IGNORECASE)
_WIRELESS = re.compile(r"^(?:wl|wlan|wifi|Wi-?Fi|WLAN)", re.IGNORECASE)


def addresses(
    interfaces: Mapping[str, Any] | None = None, up: Iterable[str] | None = None
) -> list[str]:
    """IPv4 addresses that others in the same network reach, the likeliest first. Blocks.

    Those of VPNs and containers come last. `interfaces` and `up` are for tests; else psutil's.
    """
    found: list[tuple[int, int, str]] = []
    known = psutil.net_if_addrs() if interfaces is None else interfaces
    running = (
        {name for name, stats in psutil.net_if_stats().items() if stats.isup}
        if up is None
        else set(up)
    )
    for name, told in known.items():
        if name not in running:
            continue
        for one in told:
            if one.family is not socket.AF_INET:
                continue
            with contextlib.suppress(ValueError):
                address = ipaddress.ip_address(one.address)
                if not (address.is_loopback or address.is_link_local or address.is_unspecified):
                    found.append((_rank(name), int(not address.is_private), one.address))
    return [address for _, _, address in sorted(found, key=lambda one: one[:2])]


def _rank(name: str) -> int:
    if _VIRTUAL.match(name):
        return 3
    if _WIRED.match(name):
        return 0
    return 1 if _WIRELESS.match(name) else 2


async def why_unreachable(session: aiohttp.ClientSession, url: str) -> str | None:
    """Why Navigator does not answer at an address of this machine; None: it does."""
    try:
        async with (
            asyncio.timeout(_TIMEOUT_S),
            session.get(f"{url}/api/config/version", allow_redirects=False) as answer,
        ):
            if answer.status == 200 and b'"branch"' in await answer.read():
                return None
            return f"Something else answers at {url} ({answer.status})."
    except TimeoutError:
        return f"Nothing comes back from {url}: a firewall of this computer is in the way."
    except aiohttp.ClientConnectorError as error:
        if error.os_error.errno == errno.ECONNREFUSED:
            return f"Nothing listens at {url}."
        return f"{url} cannot be reached ({error.os_error.strerror or error.os_error})."
    except (aiohttp.ClientError, OSError) as error:
        return f"{url} does not answer as Navigator does ({type(error).__name__})."
