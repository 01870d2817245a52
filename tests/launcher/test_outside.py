"""Tests of `launcher/outside.py`."""

import sys
import threading
import webbrowser
from pathlib import Path

import pyperclip
import pytest

from launcher.outside import Outside, has_screen

OPENER = '#!/bin/sh\necho "$1" > "{log}"\nexit {code}\n'


def test_pages_and_texts_go_out() -> None:
    seen: list[str] = []

    def browse(url: str) -> bool:
        seen.append(url)
        return True

    outside = Outside({}, browse=browse, copy=seen.append)
    assert outside.open_page("http://x")
    assert outside.copy_text("y")
    assert seen == ["http://x", "y"]


def test_browser_that_is_waited_for_keeps_nobody_waiting() -> None:
    ended = threading.Event()

    def browse(_: str) -> bool:
        return ended.wait(60)

    outside = Outside({}, browse=browse, copy=print, patience_s=0.05)
    assert outside.open_page("http://x")
    assert not ended.is_set()
    ended.set()


def test_desktop_without_browser_or_clipboard_is_no_error() -> None:
    def browse(_: str) -> bool:
        raise webbrowser.Error("no browser")

    def copy(_: str) -> None:
        raise pyperclip.PyperclipException("no clipboard")

    outside = Outside({}, browse=browse, copy=copy)
    assert not outside.open_page("http://x")
    assert not outside.copy_text("y")


@pytest.mark.posix
@pytest.mark.parametrize(("code", "worked"), [(0, True), (3, False)])
def test_files_are_shown_by_the_desktop(tmp_path: Path, code: int, worked: bool) -> None:
    for name in ("xdg-open", "open"):
        (tmp_path / name).write_text(OPENER.format(log=tmp_path / "opened", code=code))
        (tmp_path / name).chmod(0o755)
    outside = Outside({"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert outside.open_file(tmp_path / "my log") is worked
    assert (tmp_path / "opened").read_text() == f"{tmp_path / 'my log'}\n"
    assert not Outside({"PATH": str(tmp_path / "nowhere")}).open_file(tmp_path)


@pytest.mark.posix
def test_screen_is_known() -> None:
    assert has_screen({"DISPLAY": ":0"})
    assert has_screen({"WAYLAND_DISPLAY": "wayland-0"})
    assert has_screen({}) == (sys.platform != "linux")
