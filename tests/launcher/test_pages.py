"""Tests of `launcher/pages.py`, over HTTP."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from launcher.pages import Pages, invitation
from launcher.people import Invitation


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    async with Pages().serving() as serving:
        yield serving


def browser() -> aiohttp.ClientSession:
    """One with cookies of its own."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def test_page_is_for_whoever_opens_it_first(pages: Pages) -> None:
    url = pages.add("A & B", "<p>content</p>")
    async with browser() as owner, browser() as stranger:
        for _ in range(2):
            async with owner.get(url) as answer:
                shown = str(answer.url)
            async with owner.get(shown) as answer:
                text = await answer.text()
                assert answer.status == 200
                assert "<p>content</p>" in text
                assert "<title>A &amp; B" in text
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                assert answer.headers["Cache-Control"] == "no-store"
            break
        for address in (url, shown):
            async with stranger.get(address) as answer:
                assert answer.status == 410
                assert "<p>content</p>" not in await answer.text()


async def test_unknown_pages_and_other_names_of_this_machine_are_refused(pages: Pages) -> None:
    url = pages.add("x", "content")
    async with browser() as someone:
        for address, headers in (
            (url.replace("/open/", "/open/x"), {}),
            (url.replace("/open/", "/page/"), {}),
            (url, {"Host": "evil.example"}),
            (url, {"Host": "localhost"}),
        ):
            async with someone.get(address, headers=headers) as answer:
                assert answer.status == 410
        async with someone.get(url.rpartition("/open")[0]) as answer:
            assert answer.status == 404


async def test_two_pages_are_open_at_once(pages: Pages) -> None:
    async with browser() as owner:
        addresses = []
        for text in ("one", "two"):
            async with owner.get(pages.add(text, text)) as answer:
                addresses.append(str(answer.url))
        for address, text in zip(addresses, ("one", "two"), strict=True):
            async with owner.get(address) as answer:
                assert f"<main>{text}</main>" in await answer.text()


def test_invitation_is_escaped() -> None:
    shown = invitation(Invitation('http://x/?code="><script>', "<svg><script/></svg>"))
    assert "<script" not in shown
    assert "data:image/svg+xml,%3Csvg" in shown
