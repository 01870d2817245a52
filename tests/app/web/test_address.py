"""Tests of `app/web/address.py`: headers count only from proxies that the owner named."""

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.address import UNKNOWN, client_address, is_through_proxy

LOCAL_PROXY = (ip_network("127.0.0.0/8"), ip_network("::1"))
PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def address(peer: str | None, *forwarded: str, trusted: Any = ()) -> str:
    """The client's address for a peer and lines of `X-Forwarded-For`."""
    scope = {
        "client": None if peer is None else (peer, 1234),
        "headers": [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded],
    }
    return client_address(scope, trusted)


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.9", "127.0.0.1"),
        ("::1", "127.0.0.1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("/run/socket", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_peer_is_the_client(peer: str | None, expected: str) -> None:
    assert address(peer) == expected


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7", "10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.7, 10.0.0.2, 10.0.0.3"], "203.0.113.7"),
        ("10.0.0.1", ["10.0.0.7"], "10.0.0.7"),
        ("10.0.0.1", ["203.0.113.7, junk"], "10.0.0.1"),
        ("10.0.0.1", ["junk, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7:4711"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7:4711, 10.0.0.2:80"], "203.0.113.7"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", ["[::ffff:203.0.113.7]:4711"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7:port"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7:"], "10.0.0.1"),
        ("10.0.0.1", [":4711"], "10.0.0.1"),
        ("10.0.0.1", ["[]:4711"], "10.0.0.1"),
        ("10.0.0.1", [" , ,203.0.113.7, "], "203.0.113.7"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["[2001:db8::7]"], "2001:db8::7"),
        ("10.0.0.1", ["::ffff:203.0.113.7"], "203.0.113.7"),
        ("::ffff:10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("fd00::1", ["203.0.113.7"], "203.0.113.7"),
        ("192.0.2.1", ["203.0.113.7"], "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.7, 10.0.0.1"], "192.0.2.1"),
        ("127.0.0.1", ["203.0.113.7"], "127.0.0.1"),
    ],
)
def test_last_entry_by_somebody_trusted_counts(
    peer: str, forwarded: list[str], expected: str
) -> None:
    assert address(peer, *forwarded, trusted=PROXIES) == expected


def test_proxy_on_this_machine_can_be_trusted() -> None:
    for peer in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert address(peer, "203.0.113.7", trusted=LOCAL_PROXY) == "203.0.113.7"


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=5))
def test_headers_without_trust_change_nothing(lines: list[str]) -> None:
    assert address("192.0.2.1", *lines) == "192.0.2.1"


@given(
    st.lists(st.text(st.characters(max_codepoint=255)), max_size=5),
    st.ip_addresses().map(str),
)
def test_address_is_always_short_enough_for_its_column(lines: list[str], peer: str) -> None:
    assert 0 < len(address(peer, *lines, trusted=PROXIES + LOCAL_PROXY)) <= 64


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("192.0.2.1", False), ("/run/socket", False)],
)
def test_proxy_is_known_by_the_address_of_its_connection(peer: str, trusted: bool) -> None:
    assert is_through_proxy({"client": (peer, 1), "headers": []}, PROXIES) == trusted
    assert not is_through_proxy({"client": None, "headers": []}, PROXIES)
