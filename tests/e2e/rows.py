"""The rows of `tests/recordings/compass/README.md`, and which tests show them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

_TABLE = Path(__file__).parent.parent / "recordings" / "compass" / "README.md"
_Test = TypeVar("_Test", bound=Callable[..., Any])

# What Compass needs of this is not there yet.
LEFT_OUT = {
    "Model browser": "downloads come with the model library",
}
shown: dict[str, list[str]] = {}


def rows() -> list[str]:
    """The first column of the table, without its head."""
    lines = _TABLE.read_text("utf-8").splitlines()
    cells = [line.split("|")[1].strip() for line in lines if line.startswith("|")]
    return cells[2:]


def shows(*names: str) -> Callable[[_Test], _Test]:
    """Marks a test that shows these rows. Raises ValueError for one that is not in the table."""
    if unknown := set(names) - set(rows()):
        raise ValueError(f"no such row: {unknown}")

    def note(test: _Test) -> _Test:
        for name in names:
            shown.setdefault(name, []).append(test.__name__)
        return test

    return note
