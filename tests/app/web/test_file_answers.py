"""Tests of `app/web/file_answers.py`; over sockets: `test_image_files.py`."""

import pytest

from app.web.asgi import Message
from app.web.file_answers import Description, answered_as_known, begin_answer

FILE = Description("image/webp", '"abc"')


class Sent:
    """Notes what is sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.messages[0]["headers"])


def scope(method: str = "GET", **headers: str) -> dict[str, object]:
    pairs = [
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, value in headers.items()
    ]
    return {"type": "http", "method": method, "headers": pairs}


@pytest.mark.parametrize("tags", ['"abc"', 'W/"abc"', "*", '"x", "abc"', '"x",W/"abc"'])
async def test_known_file_is_304_with_its_validators(tags: str) -> None:
    sent = Sent()
    assert await answered_as_known(scope(if_none_match=tags), sent, FILE)
    assert sent.status == 304
    assert sent.headers[b"etag"] == b'"abc"'
    assert sent.headers[b"cache-control"] == b"private, max-age=86400"
    assert sent.headers[b"x-content-type-options"] == b"nosniff"
    assert len(sent.messages) == 2


@pytest.mark.parametrize("tags", ['"other"', "abc", "", "W/"])
async def test_other_validators_are_not_answered(tags: str) -> None:
    sent = Sent()
    assert not await answered_as_known(scope(if_none_match=tags), sent, FILE)
    assert not await answered_as_known(scope(), sent, FILE)
    assert sent.messages == []


@pytest.mark.parametrize(
    ("wanted", "status", "expected"),
    [
        ("", 200, range(100)),
        ("bytes=0-9", 206, range(10)),
        ("bytes=90-", 206, range(90, 100)),
        ("bytes=-5", 206, range(95, 100)),
        ("bytes=0-99", 200, range(100)),
        ("bytes=9-3", 200, range(100)),
        ("bytes=100-", 416, None),
        ("bytes=-0", 416, None),
    ],
)
async def test_wanted_part_is_given(wanted: str, status: int, expected: range | None) -> None:
    sent = Sent()
    assert await begin_answer(scope(range=wanted), sent, FILE, 100) == expected
    assert sent.status == status
    assert sent.headers[b"content-length"] == str(len(expected or ())).encode()
    assert (b"content-range" in sent.headers) == (status != 200)
    assert len(sent.messages) == (1 if expected is not None else 2)


async def test_part_of_another_version_is_not_given() -> None:
    for tag, expected in (('"abc"', range(10)), ('"other"', range(100))):
        asked = scope(range="bytes=0-9", if_range=tag)
        assert await begin_answer(asked, Sent(), FILE, 100) == expected


async def test_head_is_answered_whole() -> None:
    sent = Sent()
    assert await begin_answer(scope("HEAD"), sent, FILE, 100) is None
    assert (sent.status, sent.headers[b"content-length"]) == (200, b"100")
    assert sent.messages[1]["body"] == b""


async def test_empty_file_is_nothing_to_send() -> None:
    assert await begin_answer(scope(), Sent(), FILE, 0) == range(0)
