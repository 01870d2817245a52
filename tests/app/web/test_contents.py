"""Tests of `app/web/contents.py`: what `test_site.py` does not reach over a socket."""

from pathlib import Path
from typing import Any

import pytest

from app.web.contents import NO_CACHE, answer_content, answer_file
from app.web.site_files import SiteFile, find

Sent = list[dict[str, Any]]


def scope(method: str = "GET", **headers: str) -> dict[str, Any]:
    """A request's scope; `if_none_match="…"` is a header."""
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "headers": sent}


def found(folder: Path, content: bytes) -> SiteFile:
    """A file of this content."""
    (folder / "a.bin").write_bytes(content)
    file = find(folder, "/a.bin")
    assert file is not None
    return file


async def sent_file(file: SiteFile, asked: dict[str, Any]) -> Sent:
    """The messages of an answer with a file."""
    messages: Sent = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    await answer_file(asked, send, [NO_CACHE], file)
    return messages


async def test_file_that_has_gone_is_404(tmp_path: Path) -> None:
    file = found(tmp_path, b"x")
    file.path.unlink()
    messages = await sent_file(file, scope())
    assert messages[0]["status"] == 404
    assert b"UNKNOWN_ROUTE" in messages[1]["body"]


async def test_file_cut_while_it_is_sent_breaks_the_answer_off(tmp_path: Path) -> None:
    file = found(tmp_path, b"x" * 1000)
    file.path.write_bytes(b"x")
    with pytest.raises(OSError, match="shorter"):
        await sent_file(file, scope())


async def test_file_is_sent_in_chunks(tmp_path: Path) -> None:
    content = bytes(range(256)) * 3000
    start, *parts = await sent_file(found(tmp_path, content), scope())
    assert start["status"] == 200
    assert b"".join(part["body"] for part in parts) == content
    assert [part["more_body"] for part in parts] == [True, True, False]


async def test_missing_page_is_sent_also_to_whoever_knows_it() -> None:
    messages: Sent = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    asked = scope(if_none_match='"e"')
    await answer_content(asked, send, [], b"page", etag='"e"', status=404)
    assert [messages[0]["status"], messages[1]["body"]] == [404, b"page"]
