"""Tests of the previews that are kept in memory."""

import io

from PIL import Image

from app.generation.previews import BLANK, Previews


def test_blank_preview_is_transparent() -> None:
    with Image.open(io.BytesIO(BLANK)) as picture:
        assert picture.format == "PNG"
        assert picture.getchannel("A").getextrema() == (0, 0)


def test_newest_preview_of_a_job_replaces_the_one_before() -> None:
    previews = Previews()
    previews.put("abcdefgh", b"one")
    previews.put("abcdefgh", b"two")
    assert previews.get("abcdefgh") == b"two"


def test_unknown_job_has_no_preview() -> None:
    previews = Previews()
    previews.put("abcdefgh", b"one")
    assert previews.get("ABCDEFGH") is None
    previews.discard("ABCDEFGH")
    assert previews.get("abcdefgh") == b"one"


def test_discarded_preview_is_gone_and_leaves_its_room() -> None:
    previews = Previews(max_bytes=10)
    previews.put("first", b"x" * 10)
    previews.discard("first")
    assert previews.get("first") is None
    previews.put("second", b"x" * 5)
    previews.put("third", b"x" * 5)
    assert previews.get("second") is not None
    assert previews.get("third") is not None


def test_the_longest_untouched_preview_goes_when_there_are_too_many() -> None:
    previews = Previews(max_previews=2)
    for name in ("first", "second", "first", "third"):
        previews.put(name, b"x")
    kept = [name for name in ("first", "second", "third") if previews.get(name)]
    assert kept == ["first", "third"]


def test_previews_never_take_more_bytes_than_allowed() -> None:
    previews = Previews(max_bytes=100)
    for number in range(50):
        previews.put(f"job-{number}", bytes(30))
    kept = [number for number in range(50) if previews.get(f"job-{number}")]
    assert kept == [47, 48, 49]


def test_preview_larger_than_everything_is_not_kept_and_breaks_nothing() -> None:
    previews = Previews(max_bytes=100)
    previews.put("huge", bytes(101))
    assert previews.get("huge") is None
    previews.put("small", bytes(100))
    assert previews.get("small") is not None


def test_limits_hold_without_being_named() -> None:
    previews = Previews()
    for number in range(200):
        previews.put(f"job-{number}", bytes(1024 * 1024))
    kept = [number for number in range(200) if previews.get(f"job-{number}")]
    assert kept == list(range(200 - 32, 200))
