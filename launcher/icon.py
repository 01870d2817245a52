"""Draws the icon for each state, at any size. Pure.

A compass needle in a ring. Colour, and a mark for those who tell few colours apart, say the state;
while a picture is drawn the ring fills up.
"""

import functools
import math

from PIL import Image, ImageDraw

from launcher.menu import IconState

SIZES = (16, 22, 24, 32, 48)
_OVERSAMPLING = 8
_STEPS = 36  # as many different rings as can be told apart

_COLOURS = {
    IconState.STOPPED: (138, 143, 152),
    IconState.STARTING: (58, 134, 224),
    IconState.READY: (38, 166, 91),
    IconState.GENERATING: (124, 92, 240),
    IconState.PAUSED: (214, 158, 32),
    IconState.ATTENTION: (240, 120, 32),
    IconState.FAILED: (214, 48, 49),
}
_WHITE = (255, 255, 255, 255)
_DARK = (28, 30, 38, 255)


def drawn(state: IconState, size: int, fraction: float | None = None) -> Image.Image:
    """The icon, RGBA, `size` pixels square; `fraction` in [0, 1] is of the picture drawn now."""
    step = None if fraction is None else round(min(1.0, max(0.0, fraction)) * _STEPS)
    return _drawn(state, size, step if state is IconState.GENERATING else None).copy()


@functools.lru_cache(maxsize=256)
def _drawn(state: IconState, size: int, step: int | None) -> Image.Image:
    edge = size * _OVERSAMPLING
    image = Image.new("RGBA", (edge, edge), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    colour = (*_COLOURS[state], 255)
    margin = edge * 0.03
    box = (margin, margin, edge - margin, edge - margin)
    draw.ellipse(box, fill=_DARK)
    width = int(edge * 0.13)
    if step is None:
        draw.arc(box, 0, 360, fill=colour, width=width)
    else:
        draw.arc(box, 0, 360, fill=(*(part // 2 for part in colour[:3]), 255), width=width)
        if step:
            draw.arc(box, -90, -90 + 360 * step / _STEPS, fill=_WHITE, width=width)
    _needle(draw, edge, colour)
    _mark(draw, edge, state, colour)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _needle(draw: ImageDraw.ImageDraw, edge: int, colour: tuple[int, ...]) -> None:
    centre, long, short = edge / 2, edge * 0.30, edge * 0.11

    def point(angle: float, length: float) -> tuple[float, float]:
        radians = math.radians(angle)
        return centre + length * math.sin(radians), centre - length * math.cos(radians)

    sides = (point(30 + 90, short), point(30 - 90, short))
    draw.polygon([point(30, long), *sides], fill=_WHITE)
    draw.polygon([point(210, long), *sides], fill=colour)


def _mark(draw: ImageDraw.ImageDraw, edge: int, state: IconState, colour: tuple[int, ...]) -> None:
    """A badge in the lower right corner."""
    if state not in {IconState.ATTENTION, IconState.FAILED, IconState.PAUSED, IconState.STOPPED}:
        return
    size = edge * 0.46
    left = top = edge - size
    draw.ellipse((left, top, edge - 1, edge - 1), fill=colour, outline=_DARK,
                 width=int(edge * 0.03))  # fmt: skip
    x, y, unit = left + size / 2, top + size / 2, size * 0.12
    if state is IconState.PAUSED:
        for side in (-1, 1):
            at = x + side * unit * 1.1
            draw.rectangle((at - unit * 0.6, y - 2 * unit, at + unit * 0.6, y + 2 * unit),
                           fill=_WHITE)  # fmt: skip
    elif state is IconState.STOPPED:
        draw.rectangle((x - 1.6 * unit, y - 1.6 * unit, x + 1.6 * unit, y + 1.6 * unit),
                       fill=_WHITE)  # fmt: skip
    elif state is IconState.FAILED:
        reach = 1.8 * unit
        for side in (-1, 1):
            draw.line((x - reach, y - side * reach, x + reach, y + side * reach), fill=_WHITE,
                      width=int(unit * 1.2))  # fmt: skip
    else:
        draw.rectangle((x - unit * 0.7, y - 2.6 * unit, x + unit * 0.7, y + 0.6 * unit),
                       fill=_WHITE)  # fmt: skip
        draw.ellipse((x - unit * 0.8, y + 1.2 * unit, x + unit * 0.8, y + 2.8 * unit), fill=_WHITE)
