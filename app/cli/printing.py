"""What commands print: tables, moments and JSON."""

import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

_GAP = "  "
_NONE = "-"
_TAKES_NO_PLACE = {"Mn", "Me", "Cf"}


def show(text: str) -> None:
    """Prints text, with `?` for what the terminal or file cannot hold."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding))


def show_json(told: dict[str, Any]) -> None:
    """Prints JSON for programs, in UTF-8 on every system."""
    import orjson

    click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))


def warn(sentence: str) -> None:
    """Says something beside what was asked for."""
    click.echo(f"navigator: {sentence}", err=True)


def table(titles: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str:
    """Rows in columns as wide as they need to be; None is a dash."""
    cells = [list(titles), *([cell or _NONE for cell in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        _GAP.join(
            cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    )


def width(text: str) -> int:
    """How many columns a terminal takes for it, near enough."""
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
        if unicodedata.category(character) not in _TAKES_NO_PLACE
    )


def moment(text: str | None) -> str | None:
    """A moment of the API's, in the time of this machine."""
    if text is None:
        return None
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")
