"""Tests of `app/web/negotiation.py`: pages for browsers, JSON for everybody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.negotiation import wants_page

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def wanted(*lines: str) -> bool:
    """Whether these lines of `Accept` ask for a page."""
    return wants_page({"headers": [(b"accept", line.encode("latin-1")) for line in lines]})


@pytest.mark.parametrize(
    "lines",
    [
        (BROWSER,),
        ("text/html",),
        ("TEXT/HTML; charset=utf-8",),
        ("text/html;q=0.1",),
        ("text/html;level=1;q=0.5, */*",),
        ("image/png", "text/html"),
        ("application/json;q=0.5, text/html",),
        ("application/json, text/html",),
    ],
)
def test_whoever_names_html_gets_the_page(lines: tuple[str, ...]) -> None:
    assert wanted(*lines)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("",),
        ("*/*",),
        ("text/*",),
        ("application/json, text/plain, */*",),  # axios
        ("application/json, text/html;q=0.9",),
        ("text/html;q=0",),
        ("text/htmlx",),
        ("xtext/html",),
        ("text/html;q=nan",),
        ("image/*, text/html;q=-1",),
    ],
)
def test_everybody_else_gets_json(lines: tuple[str, ...]) -> None:
    assert not wanted(*lines)


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=60))
def test_no_header_is_an_error(line: str) -> None:
    assert wanted(line) in {True, False}
