"""Fails when a test was skipped: `python -m tests.skips report.xml`, pytest's JUnit report."""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET


def skipped(report: str) -> list[str]:
    """Name and reason of each test that the report calls skipped.

    Raises ValueError when the report tells of no test at all.
    """
    cases = list(ET.fromstring(report).iter("testcase"))
    if not cases:
        raise ValueError("the report tells of no test")
    return [
        f"{case.get('classname')}::{case.get('name')}: {skip.get('message')}"
        for case in cases
        for skip in case.iter("skipped")
    ]


def main(report_path: Path) -> int:
    """Prints the skipped tests; gives the exit code."""
    found = skipped(report_path.read_text("utf-8"))
    for line in found:
        print(f"skipped: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
