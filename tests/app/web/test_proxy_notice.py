"""Tests of `app/web/proxy_notice.py`: who forwards without being trusted is told of, once."""

import ipaddress
import logging
from pathlib import Path

import pytest

from app.setting_types import Networks
from app.web.asgi import Message, Receive, Scope, Send
from app.web.proxy_notice import ProxyNotice
from tests.running import RunningNavigator, running_navigator

NAMES = [
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "Forwarded",
    "CF-Connecting-IP",
]


def notices(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said about proxies."""
    return [r.getMessage() for r in caplog.records if r.name == "app.web.proxy_notice"]


async def ask(notice: ProxyNotice, peer: object, *names: str, kind: str = "http") -> None:
    """One request of this peer with headers of these names."""
    headers = [(name.lower().encode(), b"1\r\nx") for name in ("host", *names)]
    scope = {"type": kind, "client": peer and (peer, 1), "headers": headers}

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError

    await notice(scope, receive, send)


@pytest.fixture
def notice() -> ProxyNotice:
    """One that trusts 10.0.0.0/8, in front of nothing."""
    trusted: Networks = (ipaddress.ip_network("10.0.0.0/8"),)

    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    return ProxyNotice(nothing, trusted, max_peers=5)


@pytest.mark.parametrize("name", NAMES)
async def test_forwarding_peer_is_told_of_once(
    server: RunningNavigator, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    for path in ("/", "/api/status", "/socket.io/?EIO=4&transport=polling"):
        await server.get(path, headers={name: "198.51.100.1"})
    (said,) = notices(caplog)
    assert said.startswith("127.0.0.1 ")
    assert name.lower() in said
    assert "TRUSTED_PROXIES" in said
    assert "198.51.100.1" not in said
    assert [r.levelno for r in caplog.records if "TRUSTED" in r.getMessage()] == [logging.WARNING]


async def test_trusted_proxies_are_not_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_navigator(tmp_path, TRUSTED_PROXIES="127.0.0.1") as server:
        for name in NAMES:
            await server.get("/", headers={name: "198.51.100.1"})
    assert notices(caplog) == []


async def test_ordinary_requests_are_not_told_of(
    notice: ProxyNotice, caplog: pytest.LogCaptureFixture
) -> None:
    await ask(notice, "192.0.2.1", "x-forwarded", "via", "authorization")
    await ask(notice, "10.1.2.3", *NAMES)
    assert notices(caplog) == []


async def test_each_peer_is_told_of_once_and_few_of_them(
    notice: ProxyNotice, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        await ask(notice, "192.0.2.1", *NAMES)
        await ask(notice, "::ffff:192.0.2.1", "Forwarded", kind="websocket")
        await ask(notice, "2001:db8::1", "Forwarded")
        await ask(notice, None, "Forwarded")
    assert [said.partition(" ")[0] for said in notices(caplog)] == [
        "192.0.2.1",
        "2001:db8::1",
        "somebody",
    ]
    for number in range(100):
        await ask(notice, f"192.0.2.{number}", "X-Real-IP")
    assert len(notices(caplog)) == 5
