"""Tests of `app/web/security_headers.py`: on every answer, each header once."""

import pytest

from app.web.asgi import Message, Receive, Scope, Send, answer
from app.web.security_headers import SecurityHeaders
from tests.running import JOB_PATH, Answer, RunningNavigator

PAGE = {"Accept": "text/html"}


def names(answer: Answer) -> list[str]:
    """The names of the headers, in lower case."""
    return [name.lower() for name in answer.headers]


async def test_every_answer_is_careful(server: RunningNavigator, token: str) -> None:
    picture = f"/api/images/{await server.picture(token)}"
    polling = "/socket.io/?EIO=4&transport=polling"
    answers = [
        await server.get("/"),
        await server.get("/", headers=PAGE),
        await server.get("/nothing"),
        await server.get("/nothing", headers=PAGE),
        await server.get("/docs"),
        await server.get("/docs/docs.js"),
        await server.get("/openapi.json"),
        await server.get("/navigator"),
        await server.get(picture),
        await server.request("HEAD", picture),
        await server.get(picture, headers={"Range": "bytes=0-1"}),
        await server.get(picture, headers={"If-None-Match": "*"}),
        await server.get(f"{picture}/thumbnail"),
        await server.get(picture.replace("api/images", "embed")),
        await server.post(JOB_PATH, {}),
        await server.post(JOB_PATH, {}, token=token),
        await server.request("OPTIONS", JOB_PATH),
        await server.get(polling),
        await server.get(polling, realtime=True),
        await server.get("/socket.io/?EIO=4&transport=nonsense"),
        await server.get("/api/models", realtime=True),
    ]
    for number, seen in enumerate(answers):
        assert seen.headers["X-Content-Type-Options"] == "nosniff", number
        assert seen.headers["Referrer-Policy"] == "no-referrer", number
        is_page = seen.headers.get("Content-Type", "").startswith("text/html")
        assert ("x-frame-options" in names(seen)) == is_page, number
        repeated = {name for name in names(seen) if names(seen).count(name) > 1}
        assert repeated <= {"vary"}, number


@pytest.mark.parametrize("path", ["/", "/docs", "/navigator", "/nothing"])
async def test_pages_of_ours_load_nothing_from_elsewhere(
    server: RunningNavigator, path: str
) -> None:
    answer = await server.get(path, headers=PAGE)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


async def test_compass_keeps_the_policy_that_it_has(server: RunningNavigator) -> None:
    folder = server.settings.compass_folder
    folder.mkdir()
    (folder / "index.html").write_text("<html>Compass</html>")
    answer = await server.get("/", headers=PAGE)
    assert b"Compass" in answer.content
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "Content-Security-Policy" not in answer.headers


async def test_own_headers_of_an_answer_win() -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, [(b"Referrer-Policy", b"origin"), (b"content-type", b"text/html")])

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    await SecurityHeaders(app)({"type": "http"}, receive, send)
    assert dict(sent[0]["headers"]) == {
        b"Referrer-Policy": b"origin",
        b"content-type": b"text/html",
        b"x-content-type-options": b"nosniff",
        b"x-frame-options": b"SAMEORIGIN",
    }
