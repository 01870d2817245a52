"""Tests of what people may look up at CivitAI, and of when downloads work."""

from pathlib import Path
from urllib.parse import parse_qsl

import aiohttp
import pytest

from app.errors import InvalidInput, NotFound, UpstreamFailed
from app.library.model_browser import ModelBrowser
from app.library.model_folder import ModelFolder
from tests.app.clients.asking_civitai import Time, client
from tests.fakes.civitai import API_KEY, PUBLIC_BASE, FakeCivitai, model
from tests.fakes.serving import Fault


def browser(
    connections: aiohttp.ClientSession,
    *bases: str,
    model_dir: str | None = None,
    time: Time | None = None,
    api_key: str = API_KEY,
) -> ModelBrowser:
    civitai = client(connections, *bases, time=time, api_key=api_key)
    return ModelBrowser(civitai, ModelFolder(model_dir))


async def following(browsing: ModelBrowser, page: str) -> tuple[list[int], str | None]:
    """What Compass gets when it goes to a `nextPage`: the ids, and the page after it."""
    assert page.startswith("https://civitai.com/api/v1/")
    path, _, query = page.removeprefix("https://civitai.com/api/v1/").partition("?")
    found = (await browsing.look_up(path, parse_qsl(query))).json
    return [one["id"] for one in found["items"]], found["metadata"].get("nextPage")


async def test_pages_follow_each_other(connections: aiohttp.ClientSession) -> None:
    async with FakeCivitai().serving() as fake:
        browsing = browser(connections, fake.url)
        ids, page = await following(browsing, f"{PUBLIC_BASE}/models?limit=2&tag=anime")
        assert page == f"{PUBLIC_BASE}/models?limit=2&tag=anime&cursor=1"
        seen = ids
        while page is not None:
            ids, page = await following(browsing, page)
            seen += ids
    assert seen == [1, 2, 3, 4, 5]


async def test_pages_of_another_address_are_asked_for_there(
    connections: aiohttp.ClientSession,
) -> None:
    async with FakeCivitai().serving() as first, FakeCivitai().serving() as second:
        second.models = {number: model(number) for number in (7, 8, 9)}
        second.next_page_base = second.url
        first.faults["*"] = [Fault(404, b"{}")]
        browsing = browser(connections, first.url, second.url)
        ids, page = await following(browsing, f"{PUBLIC_BASE}/models?limit=2")
        assert ids == [7, 8]
        assert page is not None
        first.faults.clear()  # it answers now, but it knows nothing of that page
        assert await following(browsing, page) == ([9], None)
    assert second.requests[-1].query == {"limit": "2", "cursor": "1"}


@pytest.mark.parametrize("page", ["https://other.example/api/v1/models", "", 5, None])
async def test_next_page_of_others_is_left_as_it_is(
    page: object, connections: aiohttp.ClientSession
) -> None:
    async with FakeCivitai().serving() as fake:
        fake.models[3]["metadata"] = {"nextPage": page}
        found = await browser(connections, fake.url).look_up("models/3", [])
    assert found.json["metadata"] == {"nextPage": page}


@pytest.mark.parametrize("index", ["-1", "9999999999999999", "x", "٣", "7", ""])
async def test_invented_address_changes_nothing(
    index: str, connections: aiohttp.ClientSession
) -> None:
    async with FakeCivitai().serving() as fake:
        found = await browser(connections, fake.url).look_up(
            "models/3", [("navigator_address", index)]
        )
    assert found.json["id"] == 3
    assert fake.requests[0].query == {}


@pytest.mark.parametrize("path", ["me", "users", "vault/all", "download/models/1"])
async def test_only_what_is_for_everybody_can_be_looked_up(
    path: str, connections: aiohttp.ClientSession
) -> None:
    async with FakeCivitai().serving() as fake:
        with pytest.raises(NotFound):
            await browser(connections, fake.url).look_up(path, [])
    assert fake.requests == []


@pytest.mark.parametrize("key", ["hidden", "favorites"])
async def test_what_is_the_owners_is_not_asked_for(
    key: str, connections: aiohttp.ClientSession
) -> None:
    async with FakeCivitai().serving() as fake:
        with pytest.raises(InvalidInput, match=key):
            await browser(connections, fake.url).look_up("models", [(key, "true")])
    assert fake.requests == []


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        (Fault(404, b'{"error": "No model with id 1"}'), NotFound, "No model with id 1"),
        (Fault(404, b'{"message": " gone "}'), NotFound, "gone"),
        (Fault(404, b"<html>"), NotFound, "CivitAI does not have that."),
        (Fault(404, b'{"error": {"issues": []}}'), NotFound, "CivitAI does not have that."),
        (Fault(400, b'{"error": "Invalid limit"}'), InvalidInput, "Invalid limit"),
        (Fault(400, b"[]"), InvalidInput, "CivitAI does not understand that."),
        (Fault(404, b'{"error": "' + b"x" * 9999 + b'"}'), NotFound, "x" * 300),
    ],
)
async def test_civitais_own_words_are_told(
    fault: Fault,
    kind: type[NotFound | InvalidInput],
    sentence: str,
    connections: aiohttp.ClientSession,
) -> None:
    async with FakeCivitai(faults={"*": [fault]}).serving() as fake:
        with pytest.raises(kind) as raised:
            await browser(connections, fake.url).look_up("models/1", [])
    assert raised.value.message == sentence


async def test_older_answer_tells_when_it_was_read(connections: aiohttp.ClientSession) -> None:
    time = Time()
    async with FakeCivitai().serving() as fake:
        browsing = browser(connections, fake.url, time=time)
        assert (await browsing.look_up("models/3", [])).read_at is None
        time.now_s += 10_000
        fake.faults["*"] = [Fault(500)]
        assert (await browsing.look_up("models/3", [])).read_at is not None
        with pytest.raises(UpstreamFailed):
            await browsing.look_up("models/4", [])


async def test_downloads_need_a_folder_and_a_key(
    connections: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with FakeCivitai().serving() as fake:

        async def why(model_dir: Path | None, api_key: str = API_KEY) -> str | None:
            folder = None if model_dir is None else str(model_dir)
            browsing = browser(connections, fake.url, model_dir=folder, api_key=api_key)
            return await browsing.why_no_downloads()

        assert await why(None) == "Model directory not set"
        assert await why(tmp_path / "none") == "Model directory not found"
        assert fake.requests == []
        assert await why(tmp_path, "another") == "CivitAI authentication failed"
        assert await why(tmp_path) is None
