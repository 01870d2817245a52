"""Tests of `app/web/qr.py`."""

import base64
import io
from xml.etree import ElementTree as ET

from PIL import Image as Pillow

from app.web import qr

LINK = "http://192.168.1.20:3333/?code=nav-" + "a2" * 16


def test_svg_is_a_document_that_scales() -> None:
    root = ET.fromstring(qr.svg(LINK))
    assert root.tag.endswith("svg")
    assert root.get("viewBox", "").startswith("0 0 ")
    assert "width" not in root.attrib


def test_png_is_black_on_white_with_a_quiet_zone() -> None:
    uri = qr.png_uri(LINK)
    content = base64.b64decode(uri.removeprefix("data:image/png;base64,"), validate=True)
    with Pillow.open(io.BytesIO(content)) as picture:
        grey = picture.convert("L")
    assert grey.width == grey.height
    assert set(grey.tobytes()) == {0, 255}
    border = grey.crop((0, 0, grey.width, 4 * 8))
    assert set(border.tobytes()) == {255}


def test_other_links_look_different() -> None:
    assert qr.svg(LINK) == qr.svg(LINK)
    assert qr.svg(LINK) != qr.svg(LINK + "b")


def test_terminal_gets_lines_of_one_width_in_colours_of_their_own() -> None:
    lines = qr.terminal(LINK).splitlines()
    assert {len(line) for line in lines} == {len(lines[0])}
    assert all(line.startswith("\x1b[97;40m") and line.endswith("\x1b[0m") for line in lines)
    assert set("".join(lines)) >= {"█", "▀", "▄", " "}
