"""Tests of single questions to CivitAI: the key, redirects, tries and limits."""

import re
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from app.clients.civitai_http import CivitaiHttp, retry_after_s
from app.errors import NavigatorError, UpstreamFailed, UpstreamUnavailable
from tests.app.clients.asking_civitai import Time
from tests.fakes.civitai import API_KEY, FakeCivitai
from tests.fakes.serving import Fault


def http(
    connections: aiohttp.ClientSession, *bases: str, time: Time | None = None, **changes: Any
) -> CivitaiHttp:
    time = time or Time()
    options: dict[str, Any] = {"api_key": API_KEY, "sleep": time.sleep}
    return CivitaiHttp(connections, api_bases=bases, **options | changes)


async def refused(
    connections: aiohttp.ClientSession, *faults: Fault, **options: Any
) -> tuple[NavigatorError, FakeCivitai]:
    """What is raised when CivitAI answers like this, and the CivitAI."""
    async with FakeCivitai(faults={"*": list(faults)}).serving() as fake:
        with pytest.raises(NavigatorError) as raised:
            await http(connections, fake.url, **options).asked(fake.url, "models")
    return raised.value, fake


@pytest.mark.usefixtures("passwords_of_others")
async def test_key_is_sent_as_a_header_only(connections: aiohttp.ClientSession) -> None:
    async with FakeCivitai().serving() as fake:
        await http(connections, fake.url, api_key=f" {API_KEY}\n").asked(
            fake.url, "models?query=a%20b&tag=x"
        )
    (asked,) = fake.requests
    assert asked.headers["Authorization"] == f"Bearer {API_KEY}"
    assert asked.headers["User-Agent"] == "Navigator"
    assert asked.target == "/api/v1/models?query=a%20b&tag=x"


@pytest.mark.parametrize("api_key", [None, "", " ", "with\r\nX: 1", "kéy"])
async def test_without_a_key_that_can_be_sent_none_is(
    api_key: str | None, connections: aiohttp.ClientSession
) -> None:
    async with FakeCivitai().serving() as fake:
        asking = http(connections, fake.url, api_key=api_key)
        assert (await asking.asked(fake.url, "models")).status == 200
    assert not asking.has_key
    assert "Authorization" not in fake.requests[0].headers


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_is_tried_again_after_longer_and_longer_pauses(
    status: int, connections: aiohttp.ClientSession
) -> None:
    time = Time()
    async with FakeCivitai().serving() as fake:
        fake.faults["models"] = [Fault(status), Fault(status, headers={"Retry-After": "3"}),
                                 Fault(200, b"{}")]  # fmt: skip
        reply = await http(connections, fake.url, time=time).asked(fake.url, "models")
    assert (reply.status, reply.content) == (200, b"{}")
    assert time.pauses_s == [0.5, 3.0]


async def test_trouble_that_lasts_ends_in_an_error(connections: aiohttp.ClientSession) -> None:
    time = Time()
    error, fake = await refused(connections, Fault(500, b'{"error": "injected"}'), time=time)
    assert isinstance(error, UpstreamFailed)
    assert error.message == "CivitAI answered 500."
    assert (len(fake.requests), time.pauses_s) == (3, [0.5, 1.5])


async def test_nobody_waits_as_long_as_civitai_asks_for(
    connections: aiohttp.ClientSession,
) -> None:
    time = Time()
    error, fake = await refused(connections, Fault(429, headers={"Retry-After": "60"}), time=time)
    assert (error.status, error.code) == (503, "CIVITAI_BUSY")
    assert error.headers == {"Retry-After": "60"}
    assert (len(fake.requests), time.pauses_s) == (1, [])


@pytest.mark.parametrize("status", [201, 206, 403, 405, 418])
async def test_other_answers_are_failures_at_once(
    status: int, connections: aiohttp.ClientSession
) -> None:
    error, fake = await refused(connections, Fault(status, b"{}"))
    assert (error.status, error.message) == (502, f"CivitAI answered {status}.")
    assert len(fake.requests) == 1


async def test_refused_key_is_named(connections: aiohttp.ClientSession) -> None:
    async with FakeCivitai(api_key="another").serving() as fake:
        with pytest.raises(UpstreamFailed, match="check CIVITAI_API_KEY") as raised:
            await http(connections, fake.url).asked(fake.url, "models")
    assert (raised.value.status, raised.value.code) == (502, "CIVITAI_REFUSES_US")
    assert API_KEY not in raised.value.message


async def test_redirect_below_the_same_addresses_is_followed(
    connections: aiohttp.ClientSession,
) -> None:
    async with FakeCivitai().serving() as fake, FakeCivitai().serving() as other:
        fake.faults["models/1"] = [Fault(308, headers={"Location": f"{other.url}/models/2"})]
        fake.faults["models/2"] = [Fault(302, headers={"Location": "/api/v1/models/3"})]
        asking = http(connections, fake.url, other.url)
        assert b"Fake Model 2" in (await asking.asked(fake.url, "models/1")).content
        assert b"Fake Model 3" in (await asking.asked(fake.url, "models/2")).content


@pytest.mark.parametrize(
    "location",
    [
        "STRANGER/models", "//STRANGER_HOST/api/v1/models", "/img/x.png", "/api/v1",
        "/api/v1/../../img", "/api/v1/%2e%2e/%2e%2e/img", "https://civitai.com@STRANGER_HOST/api/v1/x",
        "file:///etc/hostname", "http://[", "/api/v1/a/%2e%2e%2fx",
    ],
)  # fmt: skip
async def test_redirect_elsewhere_is_not_followed(
    location: str, connections: aiohttp.ClientSession
) -> None:
    async with FakeCivitai().serving() as fake, FakeCivitai().serving() as stranger:
        host = stranger.url.removeprefix("http://").removesuffix("/api/v1")
        location = location.replace("STRANGER_HOST", host).replace("STRANGER", stranger.url)
        fake.faults["models"] = [Fault(302, headers={"Location": location})]
        with pytest.raises(UpstreamFailed, match="another place"):
            await http(connections, fake.url).asked(fake.url, "models")
    assert stranger.requests == []
    assert len(fake.requests) == 1


async def test_redirects_in_a_circle_end(connections: aiohttp.ClientSession) -> None:
    circle = Fault(302, headers={"Location": "/api/v1/models"})
    error, fake = await refused(connections, circle)
    assert error.message == "CivitAI sends us to another place."
    assert len(fake.requests) == 4


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        (Fault(hangs=True), UpstreamUnavailable, "took too long"),
        (Fault(200, b"{", is_cut=True), UpstreamFailed, "broke the connection"),
        (Fault(200, b"x" * 2000), UpstreamFailed, "too large"),
    ],
)
async def test_broken_answer_is_an_error_of_ours(
    fault: Fault,
    kind: type[UpstreamFailed | UpstreamUnavailable],
    sentence: str,
    connections: aiohttp.ClientSession,
) -> None:
    error, _ = await refused(connections, fault, timeout_s=0.3, max_answer_bytes=1000)
    assert isinstance(error, kind)
    assert re.search(sentence, error.message)
    assert error.service == "civitai"


async def test_nobody_there_is_unavailable(
    connections: aiohttp.ClientSession, unused_port: int
) -> None:
    base = f"http://127.0.0.1:{unused_port}/api/v1"
    with pytest.raises(UpstreamUnavailable, match="cannot be reached"):
        await http(connections, base).asked(base, "models")


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (None, 0),
        ("7", 7),
        ("-7", 0),
        ("soon", 0),
        ("Wed, 01 May 2024 00:00:09 GMT", 9),
        ("Wed, 01 May 2023 00:00:09 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(told: str | None, seconds: float) -> None:
    assert retry_after_s(told, now=datetime(2024, 5, 1, tzinfo=UTC)) == seconds
