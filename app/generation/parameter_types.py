"""Numbers, switches and texts as clients send them, for the fields of requests."""

import math
from typing import Annotated

from pydantic import BeforeValidator, Field

_MAX_WHOLE = 2**53 - 1  # what a client in JavaScript can hold exactly
_MAX_PROMPT_CHARS = 50_000


def number(value: object) -> int | float:
    """A number for a number or numeric text; raises ValueError for anything else."""
    if isinstance(value, str):
        text = value.strip()
        if "_" in text:  # 1_000 is a number to Python only
            raise ValueError("must be a number")
        try:
            value = float(text) if not text.lstrip("+-").isdigit() else int(text)
        except ValueError as error:
            raise ValueError("must be a number") from error
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _whole(value: object) -> object:
    found = number(value)
    if isinstance(found, float):
        raise ValueError("must be a whole number")
    return found


def _switch(value: object) -> object:
    """Takes booleans and their words; anything else is refused."""
    if isinstance(value, str) and value.strip().lower() in {"true", "false", "1", "0", ""}:
        return value.strip().lower() in {"true", "1"}
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    raise ValueError("must be true or false")


def _text(value: object) -> object:
    if isinstance(value, str) and "\0" in value:
        raise ValueError("must not contain NUL characters")
    return value


Number = Annotated[int | float, BeforeValidator(number)]
Whole = Annotated[int, BeforeValidator(_whole)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Prompt = Annotated[str, BeforeValidator(_text), Field(max_length=_MAX_PROMPT_CHARS)]
Name = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=255)]
Strength = Annotated[Number, Field(ge=0, le=1)]
Seed = Annotated[Whole, Field(ge=-1, le=_MAX_WHOLE)]
CategoryId = Annotated[Whole, Field(ge=0, le=_MAX_WHOLE)]
