"""Tests of `app/web/numbers.py`."""

import pytest

from app.errors import InvalidInput
from app.web.numbers import number_or_default, whole_number


@pytest.mark.parametrize(
    ("given", "number"),
    [("7", 7), (" 7 ", 7), ("7.0", 7), ("1e2", 100), (7, 7), (7.0, 7), ("-3", -3)],
)
def test_whole_numbers_may_be_text(given: object, number: int) -> None:
    assert whole_number(given) == number


@pytest.mark.parametrize(
    "given",
    [
        "",
        "x",
        "1_000",
        "٣",
        "1.5",
        "nan",
        "inf",
        1.5,
        float("nan"),
        True,
        None,
        [],
        {},
        2**53,
        10**400,
    ],
)
def test_anything_else_is_no_whole_number(given: object) -> None:
    with pytest.raises(ValueError, match=r"number|large|convert"):
        whole_number(given)


@pytest.mark.parametrize(
    ("given", "number"), [(None, 5), ("", 5), ("0", 5), ("x", 5), ("NaN", 5), ("3", 3), ("3.0", 3)]
)
def test_what_is_no_number_means_the_default(given: str | None, number: int) -> None:
    assert number_or_default(given, "page", default=5, at_most=10) == number


@pytest.mark.parametrize("given", ["-1", "1.5", "11", "Infinity", "1e400"])
def test_absurd_numbers_are_refused_by_name(given: str) -> None:
    with pytest.raises(InvalidInput, match="page"):
        number_or_default(given, "page", default=5, at_most=10)
