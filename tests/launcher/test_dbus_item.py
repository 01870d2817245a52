"""Tests of `launcher/dbus_item.py`. See test_tray_dbus.py for the whole."""

from launcher.dbus_item import DbusItem
from launcher.icon import drawn
from launcher.menu import IconState


def test_pictures_are_argb_and_made_anew_only_for_another_look() -> None:
    item = DbusItem(lambda: None)
    item.show(IconState.GENERATING, 0.5, "Drawing")
    pixmaps = item._pixmaps
    width, height, data = pixmaps[0]
    red, green, blue, alpha = drawn(IconState.GENERATING, width, 0.5).getpixel((8, 1))  # type: ignore[misc]
    at = 4 * (1 * width + 8)
    assert tuple(data[at : at + 4]) == (alpha, red, green, blue)
    assert height == width
    item.show(IconState.GENERATING, 0.501, "Drawing on")
    assert item._pixmaps is pixmaps
    item.show(IconState.GENERATING, 0.9, "Drawing on")
    assert item._pixmaps is not pixmaps
