"""Tests of `app/accounts/display_names.py`."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.display_names import MAX_CHARS, display_name


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("Mira", "Mira"),
        ("  Mira \t\n  Blau ", "Mira Blau"),
        ("Zoë 🦊", "Zoë 🦊"),
        ("👩\u200d🚀 Ann", "👩\u200d🚀 Ann"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("\u200f\u2067\u05d0\u05d1\u2069", "\u05d0\u05d1"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("a\u2028b\u2029c\u00a0d", "a b c d"),
        ("\ud800x", "x"),
        ("x" * 5000, "x" * MAX_CHARS),
    ],
)
def test_name_is_shown_without_what_cannot_be_seen(given_name: str, shown: str) -> None:
    assert display_name(given_name) == shown


@pytest.mark.parametrize("nothing", ["", " ", "\u202e", "\x00\x01", "\u200d\ufe0f", "\ue000"])
def test_name_of_nothing_is_replaced(nothing: str) -> None:
    assert display_name(nothing) == ""
    assert display_name(nothing, otherwise="Friend") == "Friend"


@given(st.text(st.characters(codec=None), max_size=300))
def test_any_text_gives_one_short_line(text: str) -> None:
    name = display_name(text)
    assert len(name) <= MAX_CHARS
    assert name == name.strip()
    assert display_name(name) == name
    assert not any(unicodedata.category(one) in {"Cc", "Zl", "Zp", "Cs"} for one in name)
    name.encode()
