"""Tests of `app/generation/parameter_types.py`."""

import pytest
from pydantic import TypeAdapter, ValidationError

from app.generation.parameter_types import CategoryId, Name, Seed, Strength, Switch, number


@pytest.mark.parametrize(
    ("given", "meant"), [("7", 7), (" 7.5 ", 7.5), ("+3", 3), ("7.0", 7), (7.0, 7), (0.5, 0.5)]
)
def test_numbers_may_be_text(given: object, meant: float) -> None:
    assert number(given) == meant


@pytest.mark.parametrize("given", ["", "x", "1_000", "nan", "inf", True, None, [], float("nan")])
def test_anything_else_is_no_number(given: object) -> None:
    with pytest.raises(ValueError, match="must be a"):
        number(given)


@pytest.mark.parametrize(
    ("kind", "fine", "wrong"),
    [
        (Seed, -1, -2),
        (Seed, 2**53 - 1, 2**53),
        (Strength, "0.5", 1.01),
        (CategoryId, 0, -1),
        (Switch, "false", "maybe"),
        (Name, "x", "a\0b"),
        (Name, "x" * 255, "x" * 256),
    ],
)
def test_each_kind_has_its_bounds(kind: object, fine: object, wrong: object) -> None:
    adapter: TypeAdapter[object] = TypeAdapter(kind)  # type: ignore[arg-type]
    adapter.validate_python(fine)
    with pytest.raises(ValidationError):
        adapter.validate_python(wrong)
