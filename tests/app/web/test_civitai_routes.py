"""Tests of the routes of CivitAI's: who may ask what, and what gets through."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from app.accounts.roles import Role
from app.simulator.models_dir import FolderCatalogue
from tests.fakes.civitai import API_KEY, FakeCivitai
from tests.fakes.serving import Fault
from tests.running import RunningNavigator, running_navigator

PROXY = "/3papi/civitai/api-proxy"


@pytest.fixture
async def civitai() -> AsyncIterator[FakeCivitai]:
    async with FakeCivitai().serving() as fake:
        yield fake


@pytest.fixture
async def server(civitai: FakeCivitai, tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator with a CivitAI and an empty folder for models, which makes it ask nothing."""
    (tmp_path / "models").mkdir()
    async with running_navigator(
        tmp_path,
        installed=FolderCatalogue(folder=tmp_path / "models"),
        CIVITAI_API_BASE=civitai.url,
        CIVITAI_API_KEY=API_KEY,
        MODEL_DIR=str(tmp_path / "models"),
    ) as running:
        yield running


async def test_strangers_make_no_traffic_at_civitai(
    server: RunningNavigator, civitai: FakeCivitai
) -> None:
    for _ in range(10):
        answer = await server.get("/3papi/test_civitai")
        assert (answer.status, answer.json) == (200, {"isAuthenticated": True})
    assert len(civitai.requests) == 1
    assert (await server.get(f"{PROXY}/models")).status == 401
    assert len(civitai.requests) == 1


async def test_downloads_are_enabled(server: RunningNavigator) -> None:
    token = await server.add_user("friend", Role.APPRENTICE)
    answer = await server.get("/3papi/civitai/downloads_enabled", token=token)
    assert (answer.status, answer.json) == (200, {"downloadsEnabled": True})


async def test_civitai_that_is_away_is_not_taken_for_a_wrong_key(
    server: RunningNavigator, civitai: FakeCivitai
) -> None:
    civitai.faults["*"] = [Fault(503)]
    token = await server.add_user("friend", Role.APPRENTICE)
    answer = await server.get("/3papi/civitai/downloads_enabled", token=token)
    assert not answer.json["downloadsEnabled"]
    assert answer.json["message"] == "CivitAI answered 503."


async def test_query_and_answer_are_passed_on(
    server: RunningNavigator, civitai: FakeCivitai, token: str
) -> None:
    query = "query=fake+model%204&types=TextualInversion&tag=anime&limit=5&nsfw=false"
    answer = await server.get(f"{PROXY}/models?{query}", token=token)
    assert [one["id"] for one in answer.json["items"]] == [4]
    (asked,) = civitai.requests
    assert asked.query == {
        "query": "fake model 4",
        "types": "TextualInversion",
        "tag": "anime",
        "limit": "5",
        "nsfw": "false",
    }
    assert asked.headers["Authorization"] == f"Bearer {API_KEY}"
    assert token not in str(asked.headers)


@pytest.mark.parametrize("path", ["models/3", "models/3/", "Models/3", "model-versions/301"])
async def test_things_are_found_by_id(server: RunningNavigator, token: str, path: str) -> None:
    # Only the fixed part of the address may be spelled differently.
    answer = await server.get(f"{PROXY.upper()}/{path}", token=token)
    assert answer.status == (404 if path[0] == "M" else 200)
    assert path[0] == "M" or answer.json["id"] in {3, 301}


@pytest.mark.parametrize(
    "path",
    [
        "..%2F..%2Fimg%2Fx.png", "../../img/x.png", "%2e%2e/%2e%2e/img", "models%2F3", "models%5c3",
        "models//3", "models/%00", "models/%0d", "models/..", "models/./3",
        "https://example.org/x", "https:%2F%2Fexample.org%2Fx", "@example.org/x",
        "models/%252e%252e",
        "models%3Fhidden=1", "models%23", "m%C3%B6dels", "models/3;x", "%",
    ],
)  # fmt: skip
async def test_what_is_no_path_is_400(
    server: RunningNavigator, civitai: FakeCivitai, token: str, path: str
) -> None:
    answer = await server.get(f"{PROXY}/{path}", token=token)
    assert answer.status == 400, answer.content
    assert answer.json["error_code"] == "INVALID_INPUT"
    assert civitai.requests == []


@pytest.mark.parametrize("path", ["", "/models/3", "models/%0d%0aX:1"])
async def test_what_is_no_address_at_all_is_404(
    server: RunningNavigator, civitai: FakeCivitai, token: str, path: str
) -> None:
    assert (await server.get(f"{PROXY}/{path}", token=token)).status == 404
    assert civitai.requests == []


async def test_only_get_is_passed_on(
    server: RunningNavigator, civitai: FakeCivitai, token: str
) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await server.request(method, f"{PROXY}/models", token=token)).status == 404
    assert civitai.requests == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(404, b'{"error": "none"}'), (404, "NOT_AT_CIVITAI")),
        (Fault(400, b'{"error": "bad"}'), (400, "INVALID_INPUT")),
        (Fault(200, b"<html>"), (502, "UPSTREAM_FAILED")),
        (Fault(403, b"<html>"), (502, "UPSTREAM_FAILED")),
        (Fault(302, headers={"Location": "http://127.0.0.1/"}), (502, "UPSTREAM_FAILED")),
        # Never 401: clients log out then.
        (Fault(401, b"{}"), (502, "CIVITAI_REFUSES_US")),
        (Fault(429, headers={"Retry-After": "60"}), (503, "CIVITAI_BUSY")),
    ],
)
async def test_trouble_at_civitai_is_told(
    server: RunningNavigator,
    civitai: FakeCivitai,
    token: str,
    fault: Fault,
    expected: tuple[int, str],
) -> None:
    civitai.faults["*"] = [fault]
    answer = await server.get(f"{PROXY}/models/3", token=token)
    assert (answer.status, answer.json["error_code"]) == expected
    assert API_KEY.encode() not in answer.content


async def test_older_answer_is_marked(
    server: RunningNavigator, civitai: FakeCivitai, token: str
) -> None:
    civitai.cache_control = "no-cache"
    first = await server.get(f"{PROXY}/models/3", token=token)
    assert "X-Navigator-Stale" not in first.headers
    civitai.faults["*"] = [Fault(403)]
    again = await server.get(f"{PROXY}/models/3", token=token)
    assert (again.status, again.json) == (200, first.json)
    assert again.headers["X-Navigator-Stale"].endswith("+00:00")


async def test_civitai_that_is_away_is_503(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, CIVITAI_API_KEY=API_KEY) as server:
        token = await server.login()
        answer = await server.get(f"{PROXY}/models?query={quote('ä')}", token=token)
        assert (answer.status, answer.json["error_code"]) == (503, "UPSTREAM_UNAVAILABLE")
        told = await server.get("/3papi/test_civitai")
        assert told.json == {"isAuthenticated": False}
