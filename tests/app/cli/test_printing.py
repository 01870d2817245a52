"""Tests of `app/cli/printing.py`."""

import io
import sys

import pytest

from app.cli.printing import moment, show, show_json, table, warn, width


def test_columns_are_as_wide_as_they_look() -> None:
    shown = table(("ID", "NAME", "STATE"), [("1", "日本", "in"), ("22", "Zoe\u0301", None)])
    assert shown.splitlines() == ["ID  NAME  STATE", "1   日本  in", "22  Zoe\u0301   -"]


def test_table_without_rows_has_titles() -> None:
    assert table(("ID", "NAME"), []) == "ID  NAME"


@pytest.mark.parametrize(("text", "columns"), [("", 0), ("abc", 3), ("日本", 4), ("e\u0301", 1)])
def test_width_is_that_of_a_terminal(text: str, columns: int) -> None:
    assert width(text) == columns


def test_moment_is_in_the_time_of_this_machine() -> None:
    assert moment(None) is None
    shown = moment("2026-03-04T05:06:07.000+00:00")
    assert shown is not None
    assert shown[:8] == "2026-03-"
    assert shown.endswith(("06", "36", "51", "21"))  # minutes, wherever we are


def test_json_is_utf8(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    show_json({"name": "Zoë"})
    assert capfdbinary.readouterr().out == '{\n  "name": "Zoë"\n}\n'.encode()


def test_what_the_output_cannot_hold_is_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, "cp1252", newline="\n"))
    show("Zoë 🦊")
    sys.stdout.flush()
    assert content.getvalue() == "Zoë ?\n".encode("cp1252")


def test_warning_is_apart_from_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    warn("mind the gap.")
    assert capsys.readouterr() == ("", "navigator: mind the gap.\n")
