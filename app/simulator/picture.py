"""The pictures: a landscape that depends on prompt and seed, its blurred stages, its encoding.

Blocking work for a thread. Pillow is imported inside, so that an idle process does without it.
"""

import colorsys
import hashlib
import io
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage
    from PIL.ImageDraw import ImageDraw

Colour = tuple[int, int, int]

DUSK = ((0.72, 0.50, 0.28), (0.06, 0.60, 0.98))
NIGHT = ((0.64, 0.65, 0.12), (0.60, 0.50, 0.42))
DAY = ((0.57, 0.55, 0.80), (0.53, 0.15, 0.98))
DAWN = ((0.60, 0.35, 0.62), (0.10, 0.30, 1.00))
SKIES = {
    "dusk": DUSK, "sunset": DUSK, "evening": DUSK, "night": NIGHT, "moon": NIGHT, "stars": NIGHT,
    "day": DAY, "noon": DAY, "dawn": DAWN, "morning": DAWN, "sunrise": DAWN,
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """What a picture depends on. Equal scenes give equal pictures."""

    prompt: str
    negative_prompt: str
    seed: int
    style: str
    """Everything else that changes a picture: checkpoint, modules, sampler, variation."""

    def number(self) -> int:
        text = f"{self.prompt}\0{self.negative_prompt}\0{self.seed}\0{self.style}"
        return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")

    def words(self) -> set[str]:
        return set("".join(c if c.isalnum() else " " for c in self.prompt.lower()).split())


def draw(scene: Scene, width: int, height: int) -> "PilImage":
    """Gives the finished landscape in RGB. The same scene looks the same in every size."""
    from PIL import Image, ImageDraw, ImageOps

    rng = random.Random(scene.number())
    words = scene.words()
    longest = min(1024, max(128, 2 * max(width, height)))
    scale = longest / max(width, height)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    known = sorted(words & SKIES.keys())
    top, low = SKIES[known[0]] if known else rng.choice((DUSK, NIGHT, DAY, DAWN))
    drift = rng.uniform(-0.06, 0.06)
    sky, horizon = _colour(top, drift), _colour(low, drift)
    ramp = Image.linear_gradient("L").resize(size)
    canvas = ImageOps.colorize(ramp, sky, horizon)
    _add_light(canvas, rng, night=top == NIGHT[0])
    pen = ImageDraw.Draw(canvas)
    shore = rng.uniform(0.62, 0.72)
    layers, shade = rng.randint(3, 5), horizon
    for layer in range(layers):
        depth = (layer + 1) / layers
        shade = _mix(horizon, _colour((top[0] + 0.05, 0.55, 0.16), drift), 0.25 + 0.7 * depth)
        _hill(pen, size, _ridge(rng, 0.45 + 0.35 * depth), shade)
        if layer == layers - 2 and words & {"sea", "ocean", "lake", "water", "lighthouse"}:
            _water(pen, rng, size, shore, _mix(sky, horizon, 0.5))
    if words & {"tree", "trees", "forest", "pine", "pines"}:
        _pines(pen, rng, size, _colour((0.38, 0.5, 0.14), drift))
    if words & {"lighthouse", "tower"}:
        _lighthouse(pen, rng, size, (horizon, shade))
    return canvas.resize((width, height), Image.Resampling.LANCZOS)


def unfinished(picture: "PilImage", fraction: float) -> "PilImage":
    """Gives the picture as it looks after this part of the sampling: coarse, then finer."""
    from PIL import Image, ImageFilter

    if fraction >= 1:
        return picture
    cells = max(2, round(min(picture.size) * (0.08 + 0.92 * fraction**1.5)))
    scale = cells / min(picture.size)
    small = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    coarse = picture.resize(small, Image.Resampling.BOX)
    blurred = coarse.resize(picture.size, Image.Resampling.BILINEAR)
    return blurred.filter(ImageFilter.GaussianBlur((1 - fraction) * min(picture.size) / 40))


def encode(picture: "PilImage", image_format: str, infotext: str = "") -> bytes:
    """Gives PNG bytes without any text, or JPEG or WebP bytes with the infotext in EXIF."""
    from PIL import Image

    out = io.BytesIO()
    if image_format == "png":
        picture.save(out, "PNG", compress_level=1)
        return out.getvalue()
    exif = Image.Exif()
    if infotext:
        exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + infotext.encode("utf-16-be", "replace")
    picture.save(out, "WEBP" if image_format == "webp" else "JPEG", quality=80, exif=exif)
    return out.getvalue()


def _colour(hsv: tuple[float, float, float], drift: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb((hsv[0] + drift) % 1.0, hsv[1], hsv[2])
    return round(red * 255), round(green * 255), round(blue * 255)


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _add_light(canvas: "PilImage", rng: random.Random, *, night: bool) -> None:
    from PIL import Image, ImageDraw, ImageOps

    width, height = canvas.size
    x, y = rng.uniform(0.15, 0.85) * width, rng.uniform(0.12, 0.4) * height
    radius = rng.uniform(0.04, 0.07) * min(width, height)
    light: Colour = (236, 238, 255) if night else (255, 236, 190)
    pen = ImageDraw.Draw(canvas)
    for _ in range(90):
        star = rng.random() * width, rng.random() * height * 0.55
        if night:
            size = rng.uniform(0.5, 1.6) * min(width, height) / 1024
            pen.ellipse((star[0] - size, star[1] - size, star[0] + size, star[1] + size), light)
    glow = max(8, round(radius * 9))
    halo = ImageOps.invert(Image.radial_gradient("L")).resize((glow, glow))
    halo = halo.point(lambda value: max(0, value - 76) ** 2 // 130)
    canvas.paste(light, (round(x - glow / 2), round(y - glow / 2)), halo)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=light)


def _ridge(rng: random.Random, base: float) -> Callable[[float], float]:
    waves = [
        (rng.uniform(0.6, 1.4) * 2**n, rng.uniform(0, 6.3), rng.uniform(0.02, 0.06) / 1.5**n)
        for n in range(5)
    ]

    def height_at(x: float) -> float:
        return base + sum(a * math.sin(f * 6.283 * x + p) for f, p, a in waves)

    return height_at


def _hill(
    pen: "ImageDraw", size: tuple[int, int], height_at: Callable[[float], float], fill: Colour
) -> None:
    width, height = size
    points = [(x * width / 96, height_at(x / 96) * height) for x in range(97)]
    pen.polygon([(0, height), *points, (width, height)], fill=fill)


def _water(
    pen: "ImageDraw", rng: random.Random, size: tuple[int, int], shore: float, fill: Colour
) -> None:
    width, height = size
    pen.rectangle((0, shore * height, width, height), fill=fill)
    for _ in range(60):
        y = rng.uniform(shore, 1.0) * height
        x, length = rng.random() * width, rng.uniform(0.02, 0.12) * width
        pen.line((x, y, x + length, y), fill=_mix(fill, (255, 255, 255), 0.25), width=2)


def _pines(pen: "ImageDraw", rng: random.Random, size: tuple[int, int], fill: Colour) -> None:
    width, height = size
    for _ in range(24):
        x, y = rng.random() * width, rng.uniform(0.82, 0.98) * height
        tall = rng.uniform(0.06, 0.14) * height
        pen.polygon([(x - tall / 4, y), (x, y - tall), (x + tall / 4, y)], fill=fill)


def _lighthouse(
    pen: "ImageDraw", rng: random.Random, size: tuple[int, int], colours: tuple[Colour, Colour]
) -> None:
    width, height = size
    glow, rock = colours
    x, foot, tall = rng.uniform(0.25, 0.75) * width, 0.86 * height, 0.42 * height
    wide = tall * 0.09
    lamp = foot - tall
    side = rng.choice((-1, 1))
    beam = _mix(glow, (255, 250, 210), 0.7)
    pen.polygon([(x, lamp), (x + side * width, lamp - tall / 4), (x + side * width, lamp)], beam)
    for band in range(6):
        high, low = lamp + tall * band / 6, lamp + tall * (band + 1) / 6
        a, b = wide * (0.6 + 0.4 * band / 6), wide * (0.6 + 0.4 * (band + 1) / 6)
        fill = (240, 236, 228) if band % 2 else (176, 52, 44)
        pen.polygon([(x - a, high), (x + a, high), (x + b, low), (x - b, low)], fill=fill)
    pen.rectangle((x - wide * 0.5, lamp - wide, x + wide * 0.5, lamp), fill=(255, 246, 190))
    pen.polygon(
        [(x - wide * 0.7, lamp - wide), (x, lamp - wide * 1.8), (x + wide * 0.7, lamp - wide)],
        fill=(60, 44, 48),
    )
    pen.ellipse((x - wide * 4, foot - wide, x + wide * 4, foot + wide * 3), fill=rock)
