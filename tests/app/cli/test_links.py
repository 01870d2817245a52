"""Tests of `app/cli/links.py`."""

import base64
from pathlib import Path
from typing import Any

import pytest

from app.cli.links import is_local, show_link
from app.errors import NavigatorError

LINK: dict[str, Any] = {
    "id": "0123456789ab",
    "role": 1,
    "name": "",
    "preapproved": True,
    "max_uses": 1,
    "expires_at": None,
    "user_id": None,
    "link": "http://192.0.2.7:3333/?code=nav-" + "a" * 32,
    "qr_svg": "<svg/>",
    "qr_png": "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode(),
}


def shown(capsys: pytest.CaptureFixture[str], **changes: Any) -> str:
    """What is printed of a link, in a file."""
    show_link(LINK | changes, as_json=False, qr=False, svg=None, png=None)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Lets one friend in as apprentice, until you withdraw it."),
        ({"max_uses": 3, "role": 2}, "Lets up to 3 friends in as artificer, until"),
        ({"name": "Zoë"}, "Lets one friend by the name of Zoë in as"),
        ({"preapproved": False}, "as apprentice, each after you approved them, until"),
        ({"expires_at": "2026-03-04T05:06:07.000+00:00"}, "as apprentice, until 2026-03-0"),
        ({"user_id": "1001", "name": "Anna"}, "Lets Anna back in, once, until"),
    ],
)
def test_it_says_what_the_link_is_good_for(
    changes: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = shown(capsys, **changes)
    assert printed.startswith(f"{LINK['link']}\n")
    assert said in printed


@pytest.mark.parametrize(
    ("link", "local"),
    [
        ("http://localhost:3333/?code=x", True),
        ("http://127.0.0.1/?code=x", True),
        ("http://[::1]:3333/?code=x", True),
        ("http://192.168.1.20:3333/?code=x", False),
        ("https://pictures.example.org/?code=x", False),
    ],
)
def test_link_that_no_friend_can_open_is_warned_of(
    link: str, local: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert is_local(link) == local
    show_link(LINK | {"link": link}, as_json=True, qr=False, svg=None, png=None)
    assert ("--lan" in capsys.readouterr().err) == local


def test_code_is_printed_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert "█" not in shown(capsys)
    show_link(LINK, as_json=False, qr=True, svg=None, png=None)
    assert "████" in capsys.readouterr().out


def test_code_is_saved(tmp_path: Path) -> None:
    svg, png = tmp_path / "code.svg", tmp_path / "code.png"
    png.write_text("something longer than what comes")
    show_link(LINK, as_json=False, qr=False, svg=svg, png=png)
    assert (svg.read_bytes(), png.read_bytes()) == (b"<svg/>", b"\x89PNG")


@pytest.mark.posix
def test_saved_code_is_private(tmp_path: Path) -> None:
    show_link(LINK, as_json=False, qr=False, svg=tmp_path / "code.svg", png=None)
    assert (tmp_path / "code.svg").stat().st_mode & 0o777 == 0o600


def test_link_is_printed_also_when_its_code_cannot_be_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NavigatorError, match="cannot be written"):
        show_link(LINK, as_json=False, qr=False, svg=tmp_path / "no" / "code.svg", png=None)
    assert LINK["link"] in capsys.readouterr().out
