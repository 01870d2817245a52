"""What this machine is called and which addresses it has. Only looks; `hosts.py` judges."""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import psutil

from app.web.address import parsed


@dataclass(frozen=True)
class Machine:
    """Names in lower case, and the addresses of all interfaces."""

    names: frozenset[str] = frozenset()
    addresses: frozenset[IPv4Address | IPv6Address] = frozenset()


def look() -> Machine:
    """The names and addresses of now. Raises OSError when the system does not tell."""
    found = (
        parsed(address.address)
        for interface in psutil.net_if_addrs().values()
        for address in interface
        if address.family in {socket.AF_INET, socket.AF_INET6}
    )
    addresses = frozenset(address for address in found if address is not None)
    return Machine(names_of(socket.gethostname()), addresses)


def outward_address() -> IPv4Address | None:
    """The address that this machine has towards the rest of the network; None without a network.

    Nothing is sent: the system only chooses a route.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as chooser:
        try:
            chooser.connect(("192.0.2.1", 9))  # an address for documentation (RFC 5737)
        except OSError:
            return None
        address = IPv4Address(chooser.getsockname()[0])
    return None if address.is_loopback or address.is_unspecified else address


def names_of(host_name: str) -> frozenset[str]:
    """What a machine of this name is called on a LAN: with and without domain, and by mDNS."""
    try:
        whole = host_name.strip().rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        return frozenset()
    first = whole.partition(".")[0]
    return frozenset({whole, first, f"{first}.local"}) if first else frozenset()
