"""Tests of `launcher/log_view.py`."""

from pathlib import Path

from launcher.log_view import newest_lines, page


def test_newest_lines_are_the_last(tmp_path: Path) -> None:
    (tmp_path / "forge.log").write_text("".join(f"line {n}\n" for n in range(600)))
    lines = newest_lines(tmp_path, "forge")
    assert (len(lines), lines[0], lines[-1]) == (500, "line 100", "line 599")


def test_older_files_come_before_and_in_their_order(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        (tmp_path / f"forge.log.{number}").write_text(f"from {number}\n")
    (tmp_path / "forge.log").write_text("new\n")
    assert newest_lines(tmp_path, "forge") == ["from 10", "from 2", "from 1", "new"]


def test_search_goes_through_all_files_and_has_no_case(tmp_path: Path) -> None:
    (tmp_path / "launcher.log").write_text("Forge: running\nnothing\n")
    (tmp_path / "launcher.log.1").write_bytes(b"FORGE: \xff starting\nother\n")
    found = newest_lines(tmp_path, "launcher", "forge")
    assert found == ["FORGE: \ufffd starting", "Forge: running"]
    assert newest_lines(tmp_path, "launcher", "forge: r") == ["Forge: running"]


def test_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert newest_lines(tmp_path, "navigator") == []
    assert "Nothing is logged yet." in page("navigator", "", [], follows=False)
    assert "Nothing is found." in page("navigator", "x", [], follows=False)


def test_lines_are_shown_as_they_are_and_words_marked() -> None:
    shown = page("forge", "<b", ["a <B>bold</B> line & more"], follows=True)
    assert "a <mark>&lt;B</mark>&gt;bold&lt;/B&gt; line &amp; more" in shown
    assert 'value="&lt;b"' in shown
    assert 'http-equiv="refresh"' in shown
    assert "refresh" not in page("forge", "", ["x"], follows=False)
