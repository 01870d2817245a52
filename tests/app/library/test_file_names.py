"""Tests of `app/library/file_names.py`."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.library.file_names import MAX_BYTES, numbered, safe_file_name, suffix_of

SUFFIX = ".safetensors"


def safe(told: str) -> str:
    """The name that is made of it."""
    return safe_file_name(told, suffix=SUFFIX, fallback="model 7")


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("ink_v2.safetensors", "ink_v2.safetensors"),
        ("Tusche - größer (v2).safetensors", "Tusche - größer (v2).safetensors"),
        ("ink.SafeTensors", "ink.safetensors"),
        ("../../x.safetensors", "x.safetensors"),
        ("..\\..\\x.safetensors", "x.safetensors"),
        ("/etc/cron.d/x.safetensors", "x.safetensors"),
        ("C:\\Windows\\x.safetensors", "x.safetensors"),
        ("C:x.safetensors", "C_x.safetensors"),
        ("x.safetensors:stream.safetensors", "x.safetensors_stream.safetensors"),
        ("..safetensors", "model 7.safetensors"),
        (".safetensors", "model 7.safetensors"),
        ("....safetensors", "model 7.safetensors"),
        ("  .hidden.safetensors", "hidden.safetensors"),
        ("-rf.safetensors", "rf.safetensors"),
        ("a\x00b\n.safetensors", "ab.safetensors"),
        ("a\u202egnp.safetensors", "agnp.safetensors"),
        ("a\ud800.safetensors", "a.safetensors"),
        ("a\u200b.safetensors", "a.safetensors"),
        ("con.safetensors", "_con.safetensors"),
        ("NUL.txt.safetensors", "_NUL.txt.safetensors"),
        ("COM1.safetensors", "_COM1.safetensors"),
        ("lpt\u00b9.safetensors", "_lpt\u00b9.safetensors"),
        ("CONIN$.safetensors", "_CONIN$.safetensors"),
        ("console.safetensors", "console.safetensors"),
        ('a<b>"c|d?*.safetensors', "a_b__c_d__.safetensors"),
        ("x$(touch y).safetensors", "x$(touch y).safetensors"),
        ("x. .safetensors", "x.safetensors"),
        ("A\u030a.safetensors", "\u00c5.safetensors"),
    ],
)
def test_name_is_only_a_name(told: str, name: str) -> None:
    assert safe(told) == name


def test_long_name_is_shortened_within_a_character() -> None:
    name = safe("ü" * 500 + SUFFIX)
    assert name == "ü" * (MAX_BYTES // 2) + SUFFIX


@given(st.text(max_size=300))
def test_no_name_leads_anywhere(told: str) -> None:
    for name in (safe(told), safe(told + SUFFIX), numbered(safe(told), 12)):
        assert name.endswith(SUFFIX)
        assert len(name.encode()) < 200
        assert not set(name) & set('<>:"/\\|?*')
        assert not any(unicodedata.category(one).startswith("C") for one in name)
        assert name[0] not in ".- "
        assert name == name.strip()
        assert name.removesuffix(SUFFIX).strip(" .")


@pytest.mark.parametrize(
    ("told", "suffix"),
    [
        ("a.safetensors", ".safetensors"),
        ("a.CKPT", ".ckpt"),
        ("a.safetensors.exe", ".exe"),
        ("a.safetensors. ", ".safetensors"),
        ("a.pt\u200b", ".pt"),
        ("a", ""),
        ("", ""),
        (".safetensors", ""),
    ],
)
def test_suffix_is_that_of_the_name(told: str, suffix: str) -> None:
    assert suffix_of(told) == suffix


def test_number_stands_before_the_suffix() -> None:
    assert numbered("ink.safetensors", 702) == "ink (702).safetensors"
