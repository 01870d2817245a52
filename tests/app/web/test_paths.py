"""Tests of `app/web/paths.py`: routes in any case and with a slash at the end, ids as they are."""

import pytest

from app.web.asgi import App, Message, Receive, Scope, Send
from app.web.paths import CanonicalPaths
from tests.contract import compare, exchange
from tests.running import RunningNavigator

RULES = [
    "/",
    "/docs",
    "/api/models",
    "/api/images/<image_id>",
    "/api/images/<image_id>/info",
    "/proxy/<path:path>",
]


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers nothing."""


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/API/Models", "/api/models"),
        ("/api/models/", "/api/models"),
        ("/API/IMAGES/AbC", "/api/images/AbC"),
        ("/API/IMAGES/AbC.PNG/", "/api/images/AbC.PNG"),
        ("/Api/Images/API/INFO/", "/api/images/API/info"),
        ("/api/models//", "/api/models//"),
        ("/API/nothing", "/API/nothing"),
        ("/API/Images/a/b/c", "/API/Images/a/b/c"),
        ("/API/IMAGES/\u0130/INFO", "/api/images/\u0130/info"),
        ("/Docs", "/docs"),
        ("/Docs/", "/docs"),
        ("/API/IMAGES/", "/API/IMAGES/"),
        ("/Proxy/Models/3/", "/proxy/Models/3"),
        ("/proxy/A//b", "/proxy/A//b"),
        ("/Proxy/", "/Proxy/"),
        ("/", "/"),
    ],
)
def test_only_fixed_parts_are_rewritten(path: str, canonical: str) -> None:
    assert CanonicalPaths(nothing, RULES).canonical(path) == canonical


async def test_raw_path_follows_the_path() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    await _call(CanonicalPaths(app, RULES), "/API/IMAGES/Ä/")
    assert (seen[0]["path"], seen[0]["raw_path"]) == ("/api/images/Ä", "/api/images/Ä".encode())


async def test_routes_are_found_in_other_spellings_as_recorded(server: RunningNavigator) -> None:
    for number in (13, 14):
        answer = await server.replay(exchange(number))
        compare(exchange(number), answer.status, answer.json)


async def test_ids_keep_their_case(server: RunningNavigator, token: str) -> None:
    one = await server.picture(token, job_id="Abcdefgh", seed=1)
    other = await server.picture(token, job_id="aBCDEFGH", seed=2)
    contents = {
        (await server.get(f"/{prefix}/{name}{end}")).content
        for name in (one, other)
        for prefix in ("api/images", "API/Images")
        for end in ("", "/", ".png", ".png/")
    }
    assert len(contents) == 2
    assert (await server.get("/api/images/abcdefgh")).status == 404


async def test_unknown_spellings_stay_unknown(server: RunningNavigator) -> None:
    for path in ("/api//models", "/api/models//", "/api/./models", "/api/../", "/API/Nothing/"):
        answer = await server.get(path)
        assert (answer.status, answer.json["error_code"]) == (404, "UNKNOWN_ROUTE"), path


async def _call(app: App, path: str) -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    await app({"type": "http", "path": path, "raw_path": path.encode()}, receive, send)
