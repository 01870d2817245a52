"""Tests of what is kept of CivitAI's answers, for how long and how much."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from app.clients.civitai_cache import AnswerCache, Kept, lifetime_s


def kept(content: bytes = b"{}") -> Kept:
    return Kept("https://a.example/api/v1", content, None, datetime.now(UTC), 10.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 300),
        ({"Cache-Control": "public"}, 300),
        ({"Cache-Control": "public, max-age=60"}, 60),
        ({"Cache-Control": 'MAX-AGE = "60"'}, 60),
        ({"Cache-Control": "max-age=60", "Age": "45"}, 15),
        ({"Cache-Control": "max-age=60", "Age": "100"}, 0),
        ({"Cache-Control": "max-age=60", "Age": "-5"}, 60),
        ({"Cache-Control": "max-age=999999999"}, 86400),
        ({"Cache-Control": "no-cache, max-age=60"}, 0),
        ({"Cache-Control": "max-age=60, no-store"}, None),
        ({"Cache-Control": "max-age=x"}, 300),
    ],
)
def test_lifetime_is_what_the_headers_say(headers: Mapping[str, str], seconds: float) -> None:
    assert lifetime_s(headers) == seconds


def test_answer_is_found_until_it_is_replaced_or_dropped() -> None:
    cache, key = AnswerCache(), (0, "models")
    assert cache.find(key) is None
    cache.keep(key, kept(b"[1]"))
    cache.keep(key, kept(b"[22]"))
    found = cache.find(key)
    assert found is not None
    assert found.content == b"[22]"
    assert cache.size_bytes == len("models") + 4
    cache.drop(key)
    assert (cache.find(key), cache.size_bytes, len(cache)) == (None, 0, 0)


def test_entry_that_was_not_wanted_for_longest_goes_first() -> None:
    cache = AnswerCache(max_entries=2)
    cache.keep((0, "a"), kept())
    cache.keep((0, "b"), kept())
    cache.find((0, "a"))
    cache.keep((0, "c"), kept())
    assert cache.find((0, "b")) is None
    assert cache.find((0, "a")) is not None


def test_bytes_are_bounded_and_too_large_an_answer_is_not_kept() -> None:
    cache = AnswerCache(max_bytes=100)
    for name in "abcdef":
        cache.keep((0, name), kept(b"x" * 30))
        assert cache.size_bytes <= 100
    assert len(cache) == 3
    cache.keep((0, "large"), kept(b"x" * 101))
    assert cache.find((0, "large")) is None
    assert cache.size_bytes == 0
