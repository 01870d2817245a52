"""Tests of `tests/check.py`."""

from pathlib import Path

import pytest

from tests.check import run, steps


def test_linters_come_first_and_tests_last() -> None:
    names = [" ".join(step[:2]) for step in steps(linters_only=False)]
    assert names == ["ruff format", "ruff check", "mypy", "lint-imports", "pytest -q"]
    assert steps(linters_only=True) == steps(linters_only=False)[:-1]


def test_first_failure_ends_it_and_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    later = tmp_path / "later"
    touch = ("python", "-c", f"open({str(later)!r}, 'w').close()")
    assert run([("python", "-c", ""), ("python", "-c", "raise SystemExit(3)"), touch]) == 3
    assert "FAILED: python -c raise SystemExit(3) (exit code 3)" in capfd.readouterr().out
    assert not later.exists()


def test_success_of_all_is_success(tmp_path: Path) -> None:
    assert run([("python", "-c", ""), ("python", "-c", "")]) == 0
