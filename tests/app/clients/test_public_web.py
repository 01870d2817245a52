"""Tests of `app/clients/public_web.py`."""

import socket

import pytest
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult

from app.clients.public_web import NotPublic, PublicResolver, PublicWeb, is_public
from app.errors import UpstreamFailed

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:101:101::",
    "2606::1%eth0",
    "192.88.99.1",
    "192.0.0.8",
    "3fff::1",
    "2001:db8::1",
    "nonsense",
    "",
]


class Names(AbstractResolver):
    """Names that mean what a test says, whatever the port."""

    def __init__(self, **addresses: list[str]):
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of the name's first part."""
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in self.addresses[host.lower().split(".", maxsplit=1)[0]]
        ]

    async def close(self) -> None:
        """Nothing is held."""


def web(*trusted: str, proxy: str | None = None) -> PublicWeb:
    """One of a machine with or without a proxy."""
    proxies = {"https": proxy} if proxy else {}
    return PublicWeb(trusted=trusted, service="civitai", proxies=lambda: proxies)


@pytest.mark.parametrize("address", PRIVATE)
def test_address_of_this_machine_or_a_home_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_address_of_the_web_is_public(address: str) -> None:
    assert is_public(address)


async def test_name_is_refused_if_one_of_its_addresses_is_private() -> None:
    names = Names(good=["1.1.1.1"], bad=["1.1.1.1", "192.168.1.1"], nas=["192.168.1.2"])
    resolver = PublicResolver(trusted=[("nas.home", 8080)], service="civitai", resolver=names)
    assert [one["host"] for one in await resolver.resolve("good.example", 443)] == ["1.1.1.1"]
    with pytest.raises(NotPublic):
        await resolver.resolve("bad.example", 443)
    assert len(await resolver.resolve("NAS.home", 8080)) == 1
    with pytest.raises(NotPublic):
        await resolver.resolve("nas.home", 22)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/file",
        "ftp://example.com/file",
        "file:///etc/passwd",
        "/relative",
        "https://user@example.com/",
        "https://:secret@example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://x.localhost./",
        "https://10.0.0.1:8443/",
        "https://0x7f.1/",
        "https://127.0.0.%31/",
        "https://router/",
        "https://nas.local/",
        "https://metadata.google.internal/",
        "https://ip6-localhost/",
        "https://a..example.com/",
    ],
)
def test_address_that_may_not_be_asked_is_refused(url: str) -> None:
    with pytest.raises(UpstreamFailed):
        web("http://nas:8080/api").check(yarl.URL(url))


@pytest.mark.parametrize(
    "url", ["https://example.com/file?a=b", "https://1.1.1.1/", "http://nas:8080/files/1"]
)
def test_other_address_may_be_asked(url: str) -> None:
    web("http://nas:8080/api").check(yarl.URL(url))


def test_trust_is_for_a_host_with_its_port() -> None:
    public = web("http://nas:8080/api")
    assert public.is_trusted(yarl.URL("http://NAS:8080/"))
    assert not public.is_trusted(yarl.URL("http://nas/"))


def test_proxy_is_no_place_for_files() -> None:
    with pytest.raises(NotPublic):
        web(proxy="http://proxy.home:3128").check(yarl.URL("https://proxy.home:3128/"))


def test_proxy_that_is_no_address_is_no_obstacle() -> None:
    web(proxy="http://[broken").check(yarl.URL("https://example.com/"))
