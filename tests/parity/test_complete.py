"""No recording is forgotten, and no difference is without its reason in CONTRIBUTING.md."""

import importlib
import re
from pathlib import Path

import pytest

from tests.contract import FOLDER
from tests.conventions.tree import PROJECT
from tests.parity import test_socket
from tests.parity.case import Case

# What is not built yet, and the recordings of it.
NOT_YET: dict[str, tuple[int, ...]] = {}
NAMES = sorted(path.stem for path in FOLDER.glob("[0-9]*.json"))


def cases() -> list[Case]:
    """Those of all files of recordings."""
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    modules = [importlib.import_module(f"tests.parity.{path.stem}") for path in files]
    return [case for module in modules for case in getattr(module, "CASES", [])]


def numbers() -> list[int]:
    """Of everything that is replayed, or listed as not yet."""
    later = [number for listed in NOT_YET.values() for number in listed]
    return [test_socket.NUMBER, *later, *(case.number for case in cases())]


@pytest.mark.parametrize("name", NAMES)
def test_recording_is_replayed_or_listed_once(name: str) -> None:
    assert numbers().count(int(name[:3])) == 1


def test_nothing_is_replayed_that_was_not_recorded() -> None:
    assert sorted(numbers()) == [int(name[:3]) for name in NAMES]


def test_every_reason_is_a_row_of_the_table_of_differences() -> None:
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text[text.index("## What differs from the earlier Navigator") :]
    subjects = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    reasons = {reason for case in cases() for reason in case.but.values()}
    assert sorted(reasons - set(subjects)) == []
