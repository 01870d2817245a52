"""Tests of `app/clients/registry_http.py`: tokens, redirects, and what people read of failures."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from app.clients.registry_http import RegistryHttp, registry_session
from app.errors import InvalidInput, NotFound, UpstreamFailed, UpstreamUnavailable
from tests.images import image
from tests.strange_registry import REPOSITORY, TOKEN, StrangeRegistry

IMAGE = image([b"a layer"])
BLOB = f"blobs/{IMAGE.blobs[1].digest}"


@pytest.fixture
async def session(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[aiohttp.ClientSession]:
    """The connections of the product; a proxy of this machine is not asked for loopback."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with registry_session() as opened:
        yield opened


async def fetch(strange: StrangeRegistry, session: aiohttp.ClientSession, *paths: str) -> bytes:
    """What the last of the paths gives, with one client for all."""
    strange.push("main", IMAGE)
    content = b""
    async with strange.serving():
        http = RegistryHttp(session, strange.url, REPOSITORY)
        for path in paths:
            async with http.get(path, {}) as response:
                if response.status != 200:
                    raise http.refusal(response, "nothing there")
                content = await response.read()
    return content


async def test_token_is_got_from_another_host_when_asked_for_and_used_again(
    session: aiohttp.ClientSession,
) -> None:
    strange = StrangeRegistry(needs_token=True)
    assert await fetch(strange, session, "manifests/main", BLOB, BLOB) == b"a layer"
    (asked,) = strange.asked("/token")
    assert dict(asked.query) == {
        "service": "here, there",
        "scope": f"repository:{REPOSITORY}:pull",
    }
    assert "Authorization" not in asked.headers
    sent = [request.headers.get("Authorization") for request in strange.asked("/v2/")]
    assert sent == [None, *[f"Bearer {TOKEN}"] * 3]


async def test_token_may_have_its_other_name(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry(needs_token=True, token_answer={"access_token": TOKEN})
    assert await fetch(strange, session, BLOB) == b"a layer"


async def test_token_that_ran_out_is_replaced(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry(needs_token=True, forgets_token_after=3)
    assert await fetch(strange, session, BLOB, BLOB) == b"a layer"
    assert len(strange.asked("/token")) == 2


async def test_token_does_not_go_to_where_a_blob_lies(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry(needs_token=True, blobs_elsewhere=True)
    assert await fetch(strange, session, "manifests/main", BLOB) == b"a layer"
    (stored,) = strange.asked("/store/")
    assert "Authorization" not in stored.headers


async def test_passwords_for_other_programs_do_not_get_in_the_way(
    session: aiohttp.ClientSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login me password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    strange = StrangeRegistry(needs_token=True)
    assert await fetch(strange, session, BLOB, BLOB) == b"a layer"
    assert strange.asked(BLOB)[-1].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_image_that_nobody_gets_a_token_for_is_not_there(
    status: int, session: aiohttp.ClientSession
) -> None:
    strange = StrangeRegistry(needs_token=True, token_status=status)
    with pytest.raises(NotFound, match="no such public image"):
        await fetch(strange, session, BLOB)


@pytest.mark.parametrize("answer", [{}, [], "x", {"token": ""}, {"token": 5}, {"token": "a\r\nb"}])
async def test_answer_without_a_token_is_a_failure(
    answer: object, session: aiohttp.ClientSession
) -> None:
    strange = StrangeRegistry(needs_token=True, token_answer=answer)
    with pytest.raises(UpstreamFailed, match="gave us no token"):
        await fetch(strange, session, BLOB)


async def test_token_that_does_not_help_is_asked_for_once(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry(needs_token=True, token_answer={"token": "another"})
    with pytest.raises(NotFound, match="nothing there"):
        await fetch(strange, session, BLOB)
    assert len(strange.asked("/token")) == 1


async def test_redirects_without_an_end_are_given_up(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry()
    async with strange.serving():
        strange.elsewhere_url += "/circle?"
        strange.blobs_elsewhere = True
        http = RegistryHttp(session, strange.url, REPOSITORY)
        with pytest.raises(UpstreamFailed, match="sends us to no place"):
            async with http.get(BLOB, {}):
                pass


async def test_path_of_a_mirror_is_kept(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry()
    async with strange.serving():
        http = RegistryHttp(session, f"{strange.elsewhere_url}/some/mirror/", "a/b")
        async with http.get("manifests/main", {}) as response:
            assert response.url.path == "/some/mirror/v2/a/b/manifests/main"


async def test_nothing_there_is_unavailable(
    session: aiohttp.ClientSession, unused_port: int
) -> None:
    http = RegistryHttp(session, f"http://127.0.0.1:{unused_port}", "a/b")
    with pytest.raises(UpstreamUnavailable, match=r"^127\.0\.0\.1 cannot be reached"):
        async with http.get("manifests/main", {}):
            pass


async def test_unknown_host_is_unavailable(session: aiohttp.ClientSession) -> None:
    http = RegistryHttp(session, "https://registry.invalid", "a/b")
    with pytest.raises(UpstreamUnavailable, match=r"^registry\.invalid cannot be reached"):
        async with http.get("manifests/main", {}):
            pass


async def test_server_without_tls_is_said(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry()
    async with strange.serving():
        http = RegistryHttp(session, strange.url.replace("http:", "https:"), "a/b")
        with pytest.raises(UpstreamFailed, match="does not speak TLS"):
            async with http.get("manifests/main", {}):
                pass


async def test_proxy_of_the_environment_is_used(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = StrangeRegistry()
    async with strange.serving():
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("HTTP_PROXY", strange.elsewhere_url)
        monkeypatch.delenv("http_proxy", raising=False)
        http = RegistryHttp(session, "http://registry.invalid", "a/b")
        async with http.get("manifests/main", {}) as response:
            assert response.status == 404


@pytest.mark.parametrize(
    "url",
    ["", "registry.example", "ftp://registry.example", "http://", "http://me:word@registry.example",
     "http://registry.example?a=b", "http://registry.example:99999"],
)  # fmt: skip
async def test_odd_address_is_refused(url: str, session: aiohttp.ClientSession) -> None:
    with pytest.raises(InvalidInput, match="The address of the registry"):
        RegistryHttp(session, url, "a/b")
