"""Tests of `app/clients/civitai_files.py`, over real HTTP."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest

from app.clients.civitai_files import CivitaiFiles, FileRefused
from app.clients.civitai_http import CivitaiBusy
from app.clients.public_web import NotPublic, PublicWeb
from app.errors import UpstreamFailed, UpstreamUnavailable
from tests.app.clients.test_public_web import Names
from tests.fakes.file_host import Cut, FileHost, Redirect, Stalled
from tests.fakes.serving import Fault

CONTENT = bytes(range(256)) * 400
KEY = "key-of-tests"


@pytest.fixture
async def host() -> AsyncIterator[FileHost]:
    """A host with one file; it is where the API is, too."""
    async with FileHost({"file": CONTENT}).serving() as serving:
        yield serving


@contextlib.asynccontextmanager
async def asking(*trusted: str, key: str | None = KEY) -> AsyncIterator[CivitaiFiles]:
    """A client whose API is at the first of these."""
    web = PublicWeb(trusted=trusted, service="civitai", proxies=dict)
    async with web.session() as session:
        yield CivitaiFiles(session, web, api_bases=trusted[:1], api_key=key, silence_s=0.3)


async def read(files: CivitaiFiles, url: str, offset: int = 0) -> tuple[int, int | None, bytes]:
    """Where the body begins, the size of the file, and the body."""
    async with files.open(url, offset=offset) as stream:
        body = b"".join([chunk async for chunk in stream.chunks()])
        return stream.offset, stream.size_bytes, body


async def test_file_is_streamed_with_its_size(host: FileHost) -> None:
    async with asking(host.url) as files:
        assert await read(files, f"{host.url}/file") == (0, len(CONTENT), CONTENT)
    assert host.fetched[0].authorization == f"Bearer {KEY}"


async def test_rest_of_a_file_is_streamed(host: FileHost) -> None:
    async with asking(host.url) as files:
        found = await read(files, f"{host.url}/file", offset=100)
    assert found == (100, len(CONTENT), CONTENT[100:])


async def test_host_that_cannot_continue_begins_anew(host: FileHost) -> None:
    host.continues = False
    async with asking(host.url) as files:
        assert await read(files, f"{host.url}/file", offset=100) == (0, len(CONTENT), CONTENT)


async def test_offset_behind_the_end_begins_anew(host: FileHost) -> None:
    async with asking(host.url) as files:
        found = await read(files, f"{host.url}/file", offset=len(CONTENT) + 1)
    assert found == (0, len(CONTENT), CONTENT)


async def test_size_may_be_unknown(host: FileHost) -> None:
    host.tells_length = False
    async with asking(host.url) as files:
        assert await read(files, f"{host.url}/file") == (0, None, CONTENT)


async def test_key_does_not_follow_a_redirect_to_another_host(host: FileHost) -> None:
    async with FileHost({"there": CONTENT}).serving() as other:
        host.tricks["file"] = [Redirect(f"{other.url}/there?signature=1")]
        async with asking(host.url, other.url) as files:
            assert (await read(files, f"{host.url}/file"))[2] == CONTENT
        assert [one.authorization for one in other.fetched] == [None]
        assert [one.target for one in other.fetched] == ["/there?signature=1"]
    assert KEY not in host.fetched[0].target


async def test_redirect_to_this_machine_is_refused(host: FileHost) -> None:
    async with FileHost({"file": CONTENT}).serving() as inner:
        host.tricks["file"] = [
            Redirect(f"{inner.url}/file"),
            Redirect(inner.url.replace("http://127.0.0.1", "https://localhost")),
            Redirect(inner.url.replace("http://", "https://")),
            Redirect("https://[::1]/file"),
            Redirect("file:///etc/passwd"),
            Redirect("https://user@example.com/"),
            Redirect("http://[nonsense"),
        ]
        async with asking(host.url) as files:
            for _ in range(7):
                with pytest.raises(UpstreamFailed):
                    await read(files, f"{host.url}/file")
        assert inner.fetched == []


async def test_key_does_not_come_back_from_another_host(host: FileHost) -> None:
    async with FileHost().serving() as other:
        host.tricks["file"] = [Redirect(f"{other.url}/there")]
        other.tricks["there"] = [Redirect(f"{host.url}/file")]
        async with asking(host.url, other.url) as files:
            await read(files, f"{host.url}/file")
    assert [one.authorization for one in host.fetched] == [f"Bearer {KEY}", None]


async def test_name_that_means_this_machine_is_refused(host: FileHost) -> None:
    """The check is made where the connection is."""
    names = Names(evil=["127.0.0.1"])
    web = PublicWeb(trusted=[host.url], service="civitai", proxies=dict, resolver=names)
    async with web.session() as session:
        files = CivitaiFiles(session, web, api_bases=[host.url], api_key=KEY)
        with pytest.raises(NotPublic):
            await read(files, f"https://evil.example:{host.url.rpartition(':')[2]}/file")
    assert host.fetched == []


async def test_signed_address_is_asked_as_it_was_told(host: FileHost) -> None:
    host.files["a/b~c"] = CONTENT
    async with asking(host.url) as files:
        await read(files, f"{host.url}/a/b%7ec?sig=%2fx%2Cy&z=%7e")
    assert host.fetched[0].target == "/a/b%7ec?sig=%2fx%2Cy&z=%7e"


async def test_redirect_without_end_ends(host: FileHost) -> None:
    host.tricks["file"] = [Redirect(f"{host.url}/file")] * 50
    async with asking(host.url) as files:
        with pytest.raises(UpstreamFailed, match="on and on"):
            await read(files, f"{host.url}/file")
    assert len(host.fetched) == 6


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Fault(401), FileRefused),
        (Fault(403), FileRefused),
        (Fault(404), UpstreamFailed),
        (Fault(418), UpstreamFailed),
        (Fault(500), UpstreamUnavailable),
        (Fault(503), UpstreamUnavailable),
        (Fault(429, headers={"Retry-After": "7"}), CivitaiBusy),
        (Fault(200, b"<html>", {"Content-Type": "text/html"}), UpstreamFailed),
        (Fault(200, b"{}", {"Content-Type": "application/json"}), UpstreamFailed),
        (Fault(200, b"x", {"Content-Encoding": "gzip", "Content-Type": "x/y"}), UpstreamFailed),
        (Fault(206, b"x", {"Content-Range": "bytes 5-5/6", "Content-Type": "x/y"}), UpstreamFailed),
        (Fault(206, b"x", {"Content-Type": "x/y"}), UpstreamFailed),
    ],
)
async def test_answer_that_is_no_file_is_told(
    host: FileHost, answer: Fault, error: type[Exception]
) -> None:
    host.tricks["file"] = [answer]
    async with asking(host.url) as files:
        with pytest.raises(error) as raised:
            await read(files, f"{host.url}/file?token=secret")
    assert "secret" not in str(raised.value)


async def test_host_that_stops_or_breaks_off_is_away(host: FileHost) -> None:
    host.tricks["file"] = [Cut(1000), Stalled(1000), Fault(hangs=True)]
    async with asking(host.url) as files:
        for _ in range(3):
            with pytest.raises(UpstreamUnavailable):
                await read(files, f"{host.url}/file")
    async with asking("http://127.0.0.1:9") as files:
        with pytest.raises(UpstreamUnavailable):
            await read(files, "http://127.0.0.1:9/file")


@pytest.mark.parametrize("url", ["", "http://[", "nonsense", "https://example.com:99999/"])
async def test_address_that_is_none_is_told(host: FileHost, url: str) -> None:
    async with asking(host.url) as files:
        with pytest.raises(UpstreamFailed):
            await read(files, url)


async def test_reader_that_goes_away_leaves_no_connection(host: FileHost) -> None:
    host.tricks["file"] = [Stalled(1000)]
    async with asking(host.url) as files:
        async with files.open(f"{host.url}/file") as stream:
            async for _ in stream.chunks():
                break
        assert (await asyncio.wait_for(read(files, f"{host.url}/file"), 5))[2] == CONTENT


async def test_nothing_secret_is_logged(host: FileHost, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    host.tricks["file"] = [Fault(500)]
    async with asking(host.url) as files:
        with pytest.raises(UpstreamUnavailable):
            await read(files, f"{host.url}/file?token=secret")
    assert not {"secret", KEY} & set(caplog.text.split())
    assert "token=" not in caplog.text
