"""Tests of `app/generation/page_anchors.py`."""

from bisect import bisect_left
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.generation.page_anchors import Key, PageAnchors
from tests.app.generation.pictures import BEGIN

KEYS = st.builds(
    lambda second, id_: (BEGIN + timedelta(seconds=second), id_),
    st.integers(0, 5),
    st.text("abc", min_size=1, max_size=2),
)


def anchored(keys: list[Key], spacing: int) -> PageAnchors:
    """All anchors of these pictures, as they are read from a table."""
    anchors = PageAnchors(spacing)
    while len(keys) > anchors.last[1] + spacing:
        anchors.add(keys[anchors.last[1] + spacing])
    anchors.total = len(keys)
    return anchors


@given(st.sets(KEYS), st.lists(KEYS), st.integers(1, 3))
def test_anchors_stay_right_whatever_is_added_and_removed(
    given_keys: set[Key], toggled: list[Key], spacing: int
) -> None:
    keys = sorted(given_keys)
    anchors = anchored(keys, spacing)
    for key in toggled:
        if key in keys:
            keys.remove(key)
            anchors.changed(key, -1)
        else:
            keys.insert(bisect_left(keys, key), key)
            anchors.changed(key, 1)
        assert anchors.total == len(keys)
        for rank in range(len(keys)):
            since, older = anchors.before(rank)
            assert older <= rank
            assert older == (0 if since is None else bisect_left(keys, since))


@given(st.sets(KEYS), st.integers(1, 3))
def test_no_picture_is_far_from_an_anchor(given_keys: set[Key], spacing: int) -> None:
    anchors = anchored(sorted(given_keys), spacing)
    assert anchors.is_complete
    for rank in range(len(given_keys)):
        assert rank - anchors.before(rank)[1] < spacing or rank == len(given_keys) - 1


def test_anchors_are_complete_until_many_pictures_are_new() -> None:
    anchors = PageAnchors(2)
    assert not anchors.is_complete
    anchors.total = 0
    for second in range(5):
        assert anchors.is_complete
        anchors.changed((BEGIN + timedelta(seconds=second), "a"), 1)
    assert not anchors.is_complete
    anchors.add((BEGIN + timedelta(seconds=2), "a"))
    assert anchors.is_complete
    assert anchors.last == ((BEGIN + timedelta(seconds=2), "a"), 2)
