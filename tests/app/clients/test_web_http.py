"""Tests of what the clients of the public web share."""

import aiohttp
import pytest
from aiohttp import web

from app.clients.web_http import authorised, is_header_text, read_limited, translated
from app.errors import UpstreamFailed, UpstreamUnavailable
from tests.fakes.serving import Fault, served

AUTHORIZATION = "Authorization"


async def got(
    connections: aiohttp.ClientSession, url: str, limit_bytes: int = 100, *, timeout_s: float = 10
) -> bytes:
    """The body of what is at `url`, as a client gets it."""
    with translated("The host", service="somebody"):
        async with connections.get(url, timeout=aiohttp.ClientTimeout(total=timeout_s)) as response:
            return await read_limited(response, limit_bytes, host="The host", service="somebody")


def faulty(fault: Fault) -> web.Application:
    """A server that always answers this."""
    app = web.Application()
    app.router.add_get("/", fault.answer)
    return app


async def test_body_up_to_the_limit_is_read(connections: aiohttp.ClientSession) -> None:
    async with served(faulty(Fault(body=b"x" * 100))) as url:
        assert await got(connections, url) == b"x" * 100
        with pytest.raises(UpstreamFailed, match=r"^The answer of The host is too large\.$"):
            await got(connections, url, limit_bytes=99)


async def test_hanging_host_is_unavailable(connections: aiohttp.ClientSession) -> None:
    async with served(faulty(Fault(hangs=True))) as url:
        with pytest.raises(UpstreamUnavailable, match=r"^The host took too long") as raised:
            await got(connections, url, timeout_s=0.2)
    assert raised.value.service == "somebody"


async def test_answer_that_breaks_off_is_a_failure(connections: aiohttp.ClientSession) -> None:
    async with served(faulty(Fault(body=b"x", is_cut=True))) as url:
        with pytest.raises(UpstreamFailed, match=r"^The host broke the connection\.$"):
            await got(connections, url)


async def test_port_where_nobody_listens_is_unavailable(
    connections: aiohttp.ClientSession, unused_port: int
) -> None:
    with pytest.raises(UpstreamUnavailable, match=r"^127\.0\.0\.1 cannot be reached"):
        await got(connections, f"http://127.0.0.1:{unused_port}")


async def test_server_without_tls_is_said(connections: aiohttp.ClientSession) -> None:
    async with served(faulty(Fault())) as url:
        with pytest.raises(UpstreamFailed, match="does not speak TLS"):
            await got(connections, url.replace("http:", "https:"))


async def test_address_that_is_none_is_a_failure(connections: aiohttp.ClientSession) -> None:
    with pytest.raises(UpstreamFailed, match="sends us to no place"):
        await got(connections, "http://")


async def test_proxy_of_the_environment_is_used(
    connections: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port}")
    monkeypatch.delenv("http_proxy", raising=False)
    with pytest.raises(UpstreamUnavailable, match="The proxy cannot be reached"):
        await got(connections, "http://discord.invalid")


@pytest.mark.usefixtures("passwords_of_others")
@pytest.mark.parametrize("ours", ["Bot ours", None])
async def test_passwords_for_other_programs_are_not_sent(
    ours: str | None,
    connections: aiohttp.ClientSession,
) -> None:
    sent = []

    async def note(request: web.Request) -> web.Response:
        sent.append(request.headers.get(AUTHORIZATION))
        return web.Response()

    app = web.Application()
    app.router.add_get("/", note)
    async with served(app) as url:
        async with connections.get(url):
            pass
        async with connections.get(url, middlewares=(authorised(ours),)):
            pass
    assert sent[0] is not None
    assert sent[1] == ours


async def test_cookies_of_one_answer_do_not_go_along_with_the_next(
    connections: aiohttp.ClientSession,
) -> None:
    sent = []

    async def note(request: web.Request) -> web.Response:
        sent.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "who=me"})

    app = web.Application()
    app.router.add_get("/", note)
    async with served(app) as url:
        for host in ("127.0.0.1", "localhost"):  # of an address, none are ever kept
            for _ in range(2):
                async with connections.get(url.replace("127.0.0.1", host)):
                    pass
    assert sent == [None] * 4


@pytest.mark.parametrize(
    ("text", "may"),
    [("abc.DEF-1", True), ("", False), ("a\r\nb", False), ("ä", False), (None, False), (5, False)],
)
def test_text_that_would_break_a_header_is_known(text: object, may: bool) -> None:
    assert is_header_text(text) == may
