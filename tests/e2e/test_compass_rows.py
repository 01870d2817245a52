"""No row of what Compass needs is forgotten."""

import importlib
from pathlib import Path

from tests.e2e.rows import LEFT_OUT, rows, shown


def test_every_row_is_shown_by_a_test_or_left_out_for_a_reason() -> None:
    for path in Path(__file__).parent.glob("test_compass_*.py"):
        importlib.import_module(f"tests.e2e.{path.stem}")
    assert set(rows()) == shown.keys() | LEFT_OUT.keys()
    assert not shown.keys() & LEFT_OUT.keys()
