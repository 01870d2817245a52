"""Tests of `app/web/hosts.py`: our own addresses are given back, and nothing else."""

import re
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.hosts import Hosts
from app.web.machine import Machine, names_of

MACHINE = Machine(
    names_of("Workstation"),
    frozenset(map(ip_address, ("127.0.0.1", "192.168.1.20", "fd00::20", "fe80::1"))),
)
PROXY = "10.0.0.1"
PUBLIC = "https://pictures.example.org"
SOCKET = "http://192.168.1.99:3333"


def hosts(**options: Any) -> Hosts:
    """Those of a machine on a LAN; `10.0.0.1` is a proxy that the owner named."""
    options.setdefault("look", lambda: MACHINE)
    return Hosts(trusted_proxies=(ip_network(PROXY),), **options)


def scope(
    host: str | None,
    *,
    peer: str = "192.168.1.50",
    scheme: str = "http",
    server: tuple[str, int] | None = ("192.168.1.99", 3333),
    **headers: str,
) -> dict[str, Any]:
    """An ASGI scope with this `Host` header, and `x_forwarded_host="…"` as others."""
    sent = [] if host is None else [(b"host", host.encode())]
    sent += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"client": (peer, 5), "scheme": scheme, "server": server, "headers": sent}


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("workstation:3333", "http://workstation:3333"),
        ("WorkStation:3333", "http://workstation:3333"),
        ("workstation.local:3333", "http://workstation.local:3333"),
        ("workstation.:3333", "http://workstation.:3333"),
        ("workstation", "http://workstation"),
        ("workstation:", "http://workstation"),
        ("workstation:80", "http://workstation"),
        ("workstation:8080", "http://workstation:8080"),
        ("localhost:3333", "http://localhost:3333"),
        ("127.0.0.1:3333", "http://127.0.0.1:3333"),
        ("127.9.9.9:3333", "http://127.9.9.9:3333"),
        ("192.168.1.20:3333", "http://192.168.1.20:3333"),
        ("192.168.1.99:1", "http://192.168.1.99:1"),
        ("[::1]:3333", "http://[::1]:3333"),
        ("[fd00:0:0::20]:3333", "http://[fd00::20]:3333"),
        ("[FD00::20]", "http://[fd00::20]"),
        ("[::ffff:192.168.1.20]:3333", "http://[::ffff:c0a8:114]:3333"),
    ],
)
async def test_own_names_and_addresses_are_given_as_the_browser_used_them(
    host: str, origin: str
) -> None:
    given_back = await hosts().origin(scope(host))
    assert given_back.replace("[::ffff:192.168.1.20]", "[::ffff:c0a8:114]") == origin


@pytest.mark.parametrize(
    "host",
    [
        None, "", "evil.example", "evil.example:3333", "workstation.evil.example", "xworkstation",
        "192.168.1.21", "[fd00::21]:3333", "[fe80::1%25eth0]", "0.0.0.0:3333", "workstation:99999",
        "workstation:0", "workstation:-1", "workstation:3333:3333", "workstation:3333/x",
        "workstation\"><script>", "workstation';alert(1)//", "user@workstation", "[::1", "::1",
        "[zz]", "[:]", "[::1].evil.example", "workstation evil", "workstation,evil", "wörkstation",
        "127.0.0.1.evil.example", "2130706433", "x" * 5000, ".", ":3333", "-", "work\tstation",
    ],
)  # fmt: skip
async def test_other_hosts_are_never_reflected(host: str | None) -> None:
    assert await hosts().origin(scope(host)) == SOCKET
    assert await hosts(public_url=PUBLIC).origin(scope(host)) == PUBLIC


async def test_two_host_headers_are_as_good_as_none() -> None:
    twice = scope("workstation:3333")
    twice["headers"] *= 2
    assert await hosts().origin(twice) == SOCKET


@pytest.mark.parametrize(
    ("server", "origin"),
    [
        (("192.168.1.20", 80), "http://192.168.1.20"),
        (("::ffff:192.168.1.20", 3333), "http://192.168.1.20:3333"),
        (("fe80::1%eth0", 3333), "http://[fe80::1]:3333"),
        (("/run/socket", None), "http://localhost"),
        (None, "http://localhost"),
    ],
)
async def test_last_resort_is_the_address_of_the_socket(server: Any, origin: str) -> None:
    assert await hosts().origin(scope("evil.example", server=server)) == origin


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        (PUBLIC, "pictures.example.org", PUBLIC),
        (PUBLIC, "Pictures.Example.ORG:443", PUBLIC),
        (PUBLIC, "pictures.example.org:3333", "http://pictures.example.org:3333"),
        (f"{PUBLIC}:8443/path", "pictures.example.org:8443", f"{PUBLIC}:8443"),
        ("http://küche.example", "xn--kche-0ra.example", "http://xn--kche-0ra.example"),
        ("http://[2001:db8::1]:3333", "[2001:db8::1]:3333", "http://[2001:db8::1]:3333"),
        ("https://user:secret@a.example", "evil.example", "https://a.example"),
        (PUBLIC, "workstation:3333", "http://workstation:3333"),
    ],
)
async def test_public_url_is_ours_with_its_scheme(url: str, host: str, origin: str) -> None:
    assert await hosts(public_url=url).origin(scope(host)) == origin


@pytest.mark.parametrize(
    ("host", "headers", "origin"),
    [
        ("backend:3333", {"x_forwarded_host": "a.example", "x_forwarded_proto": "https"},
         "https://a.example"),
        ("backend:3333", {"x_forwarded_host": "evil.example, A.example:8443",
                          "x_forwarded_proto": "http, HTTPS"}, "https://a.example:8443"),
        ("backend:3333", {"x_forwarded_host": "a.example"}, "http://a.example"),
        ("a.example", {"x_forwarded_proto": "https"}, "https://a.example"),
        ("workstation", {"x_forwarded_proto": "https"}, "https://workstation"),
        ("workstation", {"x_forwarded_proto": "gopher"}, "http://workstation"),
        ("evil.example", {}, SOCKET),
        ("evil.example", {"x_forwarded_host": "\"><script>", "x_forwarded_for": "192.0.2.1"},
         SOCKET),
    ],
)  # fmt: skip
async def test_trusted_proxy_says_what_the_browser_used(
    host: str, headers: dict[str, Any], origin: str
) -> None:
    assert await hosts().origin(scope(host, peer=PROXY, **headers)) == origin


async def test_headers_of_anybody_else_do_not_count() -> None:
    sent = scope("workstation", x_forwarded_host="evil.example", x_forwarded_proto="https")
    assert await hosts().origin(sent) == "http://workstation"
    assert not hosts().is_secure(sent)


async def test_name_that_a_proxy_calls_us_is_not_for_browsers() -> None:
    sent = scope("192.168.1.99:3333", peer=PROXY, x_forwarded_proto="https")
    assert await hosts(public_url=PUBLIC).origin(sent) == PUBLIC


@pytest.mark.parametrize(
    ("sent", "secure"),
    [
        (scope("workstation"), False),
        (scope("workstation", scheme="https"), True),
        (scope("workstation", scheme="wss"), True),
        (scope("evil.example", peer=PROXY, x_forwarded_proto="https"), True),
        (scope("workstation", peer=PROXY, scheme="https", x_forwarded_proto="http"), False),
        (scope("pictures.example.org"), True),
        (scope("evil.example"), False),
    ],
)
def test_tls_is_known_also_behind_a_proxy(sent: dict[str, Any], secure: bool) -> None:
    assert hosts(public_url=PUBLIC).is_secure(sent) == secure


async def test_new_addresses_of_the_machine_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, looks = [Machine()], []

    def look() -> Machine:
        looks.append(1)
        return machine[0]

    ours = hosts(look=look)
    assert await ours.origin(scope("workstation")) == SOCKET
    machine[0] = MACHINE
    assert await ours.origin(scope("workstation")) == SOCKET
    assert len(looks) == 1
    monkeypatch.setattr("app.web.hosts._FRESH_FOR_S", 0.0)
    assert await ours.origin(scope("workstation")) == "http://workstation"


async def test_system_that_does_not_tell_is_no_error() -> None:
    def look() -> Machine:
        raise OSError("no")

    assert await hosts(look=look).origin(scope("workstation")) == SOCKET
    assert await hosts(look=look).origin(scope("127.0.0.1:3333")) == "http://127.0.0.1:3333"


async def test_discord_sends_back_to_the_setting_or_to_where_the_browser_is() -> None:
    assert await hosts().discord_redirect_uri(scope("workstation:3333")) == (
        "http://workstation:3333"
    )
    named = hosts(discord_redirect_uri="https://a.example/login")
    assert await named.discord_redirect_uri(scope("workstation")) == "https://a.example/login"


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=8), st.booleans())
async def test_whatever_is_sent_the_origin_is_plain(
    host: str, forwarded: str, scheme: str, trusted: bool
) -> None:
    sent = scope(
        host.encode("utf-8", "replace").decode(),
        peer=PROXY if trusted else "192.0.2.1",
        x_forwarded_host=forwarded.encode("utf-8", "replace").decode(),
        x_forwarded_proto=scheme.encode("utf-8", "replace").decode(),
    )
    assert re.fullmatch(r"https?://[A-Za-z0-9.:\[\]_-]+", await hosts().origin(sent))


@pytest.mark.parametrize(
    ("host", "is_shared", "public", "origin"),
    [
        ("127.0.0.1:3333", True, None, "http://192.168.1.20:3333"),
        ("localhost:3333", True, None, "http://192.168.1.20:3333"),
        ("[::1]:3333", True, None, "http://192.168.1.20:3333"),
        ("localhost", True, None, "http://192.168.1.20"),
        ("localhost:3333", False, None, "http://localhost:3333"),
        ("workstation:3333", True, None, "http://workstation:3333"),
        ("192.168.1.20:3333", False, None, "http://192.168.1.20:3333"),
        ("localhost:3333", True, PUBLIC, PUBLIC),
        ("workstation:3333", False, PUBLIC, PUBLIC),
    ],
)
async def test_link_for_a_friend_works_at_another_machine(
    host: str, is_shared: bool, public: str | None, origin: str
) -> None:
    ours = hosts(
        public_url=public,
        is_shared=is_shared,
        outward_address=lambda: IPv4Address("192.168.1.20"),
    )
    assert await ours.origin_for_friends(scope(host)) == origin


async def test_link_is_for_this_machine_when_there_is_no_network() -> None:
    ours = hosts(is_shared=True, outward_address=lambda: None)
    assert await ours.origin_for_friends(scope("localhost:3333")) == "http://localhost:3333"
