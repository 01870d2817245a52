"""Tests of `tests/skips.py`."""

from pathlib import Path

import pytest

from tests.skips import main, skipped

PASSED = '<testcase classname="tests.test_a" name="test_x"/>'
SKIPPED = (
    '<testcase classname="tests.test_a" name="test_y">'
    '<skipped type="pytest.skip" message="no MariaDB"/></testcase>'
)


def test_skipped_tests_are_named_with_their_reason() -> None:
    report = f"<testsuites><testsuite>{PASSED}{SKIPPED}</testsuite></testsuites>"
    assert skipped(report) == ["tests.test_a::test_y: no MariaDB"]


def test_report_without_tests_is_no_success() -> None:
    with pytest.raises(ValueError, match="no test"):
        skipped("<testsuites><testsuite/></testsuites>")


@pytest.mark.parametrize(("cases", "code"), [(PASSED, 0), (PASSED + SKIPPED, 1)])
def test_exit_code_tells_of_skips(tmp_path: Path, cases: str, code: int) -> None:
    report = tmp_path / "report.xml"
    report.write_text(f"<testsuite>{cases}</testsuite>", "utf-8")
    assert main(report) == code
