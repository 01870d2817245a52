"""Tests of `launcher/output.py`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.output import Output


class Clock:
    """Seconds that pass when a test says so."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def echoed() -> list[str]:
    return []


@pytest.fixture
def output(tmp_path: Path, clock: Clock, echoed: list[str]) -> Iterator[Output]:
    opened = Output("forge", tmp_path, secrets=["topsecret"], echo=echoed.append, clock=clock)
    yield opened
    opened.close()


def test_lines_come_whole_however_they_are_read(output: Output, echoed: list[str]) -> None:
    for byte in "Schönes Wetter\r\nund\n\n  mehr".encode():
        output.feed(bytes([byte]))
    assert echoed == ["Schönes Wetter", "und"]
    output.end()
    assert echoed == output.lines() == ["Schönes Wetter", "und", "  mehr"]
    assert output.path.read_text("utf-8") == "Schönes Wetter\nund\n  mehr\n"


def test_progress_bar_is_the_last_line_but_seldom_written(
    output: Output, echoed: list[str], clock: Clock
) -> None:
    for step in range(50):
        output.feed(f"\r{step}/50".encode())
        clock.now_s += 0.1
    assert output.last_line == "48/50"
    output.feed(b"\r50/50\n")
    assert output.last_line == "50/50"
    assert echoed[-1] == "50/50"
    assert len(echoed) == 4


def test_colours_and_control_characters_are_left_out(output: Output) -> None:
    output.feed(b"\x1b[31mred\x1b[0m \x1b]0;title\x07and\x00 \x1b[2Kplain\n")
    assert output.lines() == ["red and plain"]


def test_secrets_are_nowhere(output: Output, echoed: list[str]) -> None:
    output.feed(b"it is topsecret\n")
    assert output.last_line == echoed[0] == "it is ***"
    assert "topsecret" not in output.path.read_text("utf-8")


def test_line_without_an_end_is_cut(output: Output) -> None:
    output.feed(b"x" * 50_000)
    assert max(map(len, output.lines())) <= 4000


def test_bytes_that_are_no_text_are_shown_as_such(output: Output) -> None:
    output.feed(b"\xff\xfe caf\xe9\n")
    assert output.lines() == ["\ufffd\ufffd caf\ufffd"]


def test_file_is_rotated(output: Output, tmp_path: Path) -> None:
    line = b"x" * 999 + b"\n"
    for _ in range(5100):
        output.feed(line)
    assert (tmp_path / "forge.log.1").exists()
    assert (tmp_path / "forge.log").stat().st_size < 5_000_000


def test_what_a_former_process_said_is_forgotten(output: Output) -> None:
    output.feed(b"old\nhalf")
    output.forget()
    output.feed(b"new\n")
    assert (output.lines(), output.last_line) == (["new"], "new")


def test_full_disk_ends_nothing(
    output: Output, echoed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logging.raiseExceptions", False)
    output.feed(b"one\n")
    output.close()
    output.path.unlink()
    output.path.mkdir()
    output.feed(b"two\n")
    assert echoed == ["one", "two"]


@pytest.mark.posix
def test_log_on_a_full_disk_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():  # macOS
        return
    monkeypatch.setattr("logging.raiseExceptions", False)
    (tmp_path / "full.log").symlink_to("/dev/full")
    output = Output("full", tmp_path)
    output.feed(b"a\n")
    output.close()
    assert output.last_line == "a"
