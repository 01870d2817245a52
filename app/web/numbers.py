"""Numbers in queries and paths, read the way that clients of the earlier Navigator expect."""

import math

from app.errors import InvalidInput

_MAX_WHOLE = 2**53 - 1


def whole_number(given: object) -> int:
    """A whole number that a client can hold exactly; raises ValueError when it is none."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError("must be a number")
    number = _number(given)
    if not number.is_integer() or abs(number) > _MAX_WHOLE:
        raise ValueError("must be a whole number")
    return int(number)


def is_number(given: str) -> bool:
    """Whether a text is a number at all, be it a fraction or too large to count with."""
    try:
        return not math.isnan(_number(given))
    except ValueError:
        return False


def number_or_default(given: str | None, name: str, *, default: int, at_most: int) -> int:
    """The number; the default when it is missing, no number or zero, as recorded.

    Raises `InvalidInput` naming it when it is negative, a fraction or too large.
    """
    try:
        number = _number(given or "")
    except ValueError:
        return default
    if math.isnan(number) or number == 0:
        return default
    if number < 0 or not number.is_integer() or number > at_most:
        raise InvalidInput(f"{name} must be a whole number from 1 to {at_most}.")
    return int(number)


def _number(given: str | float) -> float:
    if isinstance(given, str) and ("_" in given or not given.isascii()):
        raise ValueError("must be a number")  # Python would read 1_000 and other scripts' digits
    try:
        return float(given)
    except OverflowError as error:
        raise ValueError("is too large") from error
