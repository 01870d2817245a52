"""Tests of `launcher/icon.py`: every state can be told from the others, at every size."""

import itertools

import pytest
from PIL import Image, ImageChops, ImageStat

from launcher.icon import SIZES, drawn
from launcher.menu import IconState


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of a pixel's parts, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 4


@pytest.mark.parametrize("size", SIZES)
def test_states_look_different(size: int) -> None:
    icons = {state: drawn(state, size) for state in IconState}
    for one, other in itertools.combinations(IconState, 2):
        assert difference(icons[one], icons[other]) > 4, (one, other)
    for icon in icons.values():
        assert (icon.mode, icon.size) == ("RGBA", (size, size))
        assert icon.getpixel((0, 0)) == (0, 0, 0, 0)  # the corners are clear


@pytest.mark.parametrize("state", [IconState.STOPPED, IconState.PAUSED, IconState.ATTENTION,
                                   IconState.FAILED])  # fmt: skip
def test_marks_are_told_apart_without_colours(state: IconState) -> None:
    grey = drawn(state, 32).convert("L").convert("RGBA")
    plain = drawn(IconState.READY, 32).convert("L").convert("RGBA")
    corner = (18, 18, 32, 32)
    assert difference(grey.crop(corner), plain.crop(corner)) > 12


def test_ring_fills_up() -> None:
    shares = [drawn(IconState.GENERATING, 64, fraction) for fraction in (0.0, 0.25, 0.5, 1.0)]
    white = [icon.convert("L").histogram()[255] for icon in shares]
    assert white == sorted(white)
    assert len(set(white)) == 4
    for odd in (-1.0, 2.0):
        drawn(IconState.GENERATING, 16, odd)
    ready = drawn(IconState.READY, 16)
    assert difference(drawn(IconState.READY, 16, 0.5), ready) == 0
