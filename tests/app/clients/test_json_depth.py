"""Tests of `app/clients/json_depth.py`."""

from typing import Any

import pytest

from app.clients.json_depth import is_too_deep


def nested(levels: int) -> Any:
    """So many objects and lists in one another."""
    value: Any = 1
    for number in range(levels):
        value = {"a": value, "b": "text"} if number % 2 else [value, None]
    return value


@pytest.mark.parametrize("value", [1, None, "text", [], {}, nested(3), [nested(2), nested(1)]])
def test_what_has_few_levels_is_fine(value: object) -> None:
    assert not is_too_deep(value, 3)


@pytest.mark.parametrize("value", [nested(4), [nested(1), nested(3)], nested(900)])
def test_what_has_more_is_too_deep(value: object) -> None:
    assert is_too_deep(value, 3)
