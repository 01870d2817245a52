"""Tests of `app/setting_names.py`."""

from typing import Annotated

import pytest
from pydantic import BaseModel, Field, ValidationError

from app.setting_names import ALIASES, by_first_names, problems_of, sentence


def test_two_names_of_one_setting_become_one() -> None:
    for name, first in ALIASES.items():
        assert by_first_names({name: "x"}) == {first: "x"}
        assert by_first_names({name: "x", first: "y"}) == {first: "y"}
        assert by_first_names({name: "x", first: " "}) == {first: "x"}
    assert by_first_names({"OTHER": "z"}) == {"OTHER": "z"}


class _Few(BaseModel):
    port: Annotated[int, Field(alias="PORT", ge=1)]
    name: Annotated[str, Field(alias="NAME")]


def test_every_bad_value_is_named_in_one_sentence() -> None:
    with pytest.raises(ValidationError) as raised:
        _Few.model_validate({"PORT": 0})
    problems = problems_of(raised.value)
    assert problems.keys() == {"PORT", "NAME"}
    told = sentence(problems)
    assert told.startswith("PORT: ")
    assert "; NAME: " in told
    assert told.endswith(".")
