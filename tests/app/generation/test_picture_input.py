"""Tests of `app/generation/picture_input.py`: a client's picture is made safe, or refused."""

import base64
import io

import pytest
from PIL import Image as Pillow

from app.errors import InvalidInput
from app.generation.picture_input import (
    as_mask,
    as_rgb_png,
    picture_bytes,
    size_of_png,
)

RED, WHITE, BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 0)


def encoded(picture: Pillow.Image, form: str = "PNG", **options: object) -> bytes:
    written = io.BytesIO()
    picture.save(written, form, **options)
    return written.getvalue()


def opened(content: bytes) -> Pillow.Image:
    picture = Pillow.open(io.BytesIO(content), formats=("PNG",))
    picture.load()
    return picture


PLAIN = encoded(Pillow.new("RGB", (4, 2), RED))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pictures_of_every_kind_become_rgb_pngs(form: str, mode: str) -> None:
    written = opened(as_rgb_png(encoded(Pillow.new(mode, (40, 20)), form), "init_image"))
    assert (written.format, written.mode, written.size) == ("PNG", "RGB", (40, 20))


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "I;16"])
def test_every_mode_of_png_is_read(mode: str) -> None:
    assert opened(as_rgb_png(encoded(Pillow.new(mode, (4, 2))), "init_image")).mode == "RGB"


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    picture = Pillow.new("I;16", (1, 1))
    picture.putpixel((0, 0), 128 * 256)
    assert opened(as_rgb_png(encoded(picture), "x")).getpixel((0, 0)) == (128, 128, 128)


def test_transparent_parts_become_white() -> None:
    picture = Pillow.new("RGBA", (2, 1), (255, 0, 0, 0))
    picture.putpixel((0, 0), (255, 0, 0, 255))
    written = opened(as_rgb_png(encoded(picture), "init_image"))
    assert [written.getpixel((x, 0)) for x in (0, 1)] == [RED, WHITE]


def test_picture_is_turned_as_its_camera_says_and_loses_what_it_carried() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # a quarter turn
    exif[0x010E] = "where I live"
    content = encoded(Pillow.new("RGB", (40, 20)), "JPEG", exif=exif)
    written = as_rgb_png(content, "init_image")
    assert size_of_png(written) == (20, 40)
    assert b"where I live" not in written
    assert opened(written).info == {}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(
    "rubbish", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40]
)
def test_rubbish_in_the_exif_data_is_no_reason_to_refuse(rubbish: bytes) -> None:
    content = encoded(Pillow.new("RGB", (40, 20), RED), "JPEG", exif=rubbish)
    assert size_of_png(as_rgb_png(content, "init_image")) == (40, 20)
    assert size_of_png(as_mask(content, "mask", (4, 2))) == (4, 2)


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", PLAIN[:45], PLAIN[:40], b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
     encoded(Pillow.new("RGB", (2, 2)), "BMP"), encoded(Pillow.new("RGB", (2, 2)), "GIF"),
     b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"RIFF\0\0\0\0WEBPVP8 "],
)  # fmt: skip
def test_what_is_no_whole_picture_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="init_image is not a whole PNG, JPEG or WebP"):
        as_rgb_png(content, "init_image")


@pytest.mark.parametrize("size", [(10_000, 5_001), (20_000, 20_000)])
def test_picture_of_too_many_pixels_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    content = encoded(Pillow.new("1", size))
    with pytest.raises(InvalidInput, match="too many pixels"):
        as_rgb_png(content, "init_image")


@pytest.mark.parametrize(
    "text",
    ["{}", "data:image/png;base64,{}", " data:image/png;base64,{}", "data:;base64,{}", "{}\n"],
)
def test_base64_and_data_uris_are_read(text: str) -> None:
    assert picture_bytes(text.format(base64.b64encode(PLAIN).decode()), "mask") == PLAIN


@pytest.mark.parametrize(
    "text",
    ["http://127.0.0.1/x.png", "https://example.org/a.png", "file:///etc/passwd", "data:,abc",
     "a", "=", "äöü", "NAVIGATOR", "data:image/png;base64,%%%"],
)  # fmt: skip
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="mask must be a picture"):
        picture_bytes(text, "mask")


def test_opaque_mask_counts_by_its_colour_and_gets_the_size_of_the_picture() -> None:
    mask = Pillow.new("L", (2, 1), 0)
    mask.putpixel((1, 0), 255)
    written = opened(as_mask(encoded(mask), "mask", (4, 2)))
    assert (written.mode, written.size) == ("RGB", (4, 2))
    assert [written.getpixel((x, 1)) for x in range(4)] == [BLACK, BLACK, WHITE, WHITE]


def test_partly_transparent_mask_counts_by_its_opacity() -> None:
    mask = Pillow.new("RGBA", (2, 1), (0, 0, 0, 0))
    mask.putpixel((1, 0), (0, 0, 0, 255))
    written = opened(as_mask(encoded(mask), "mask", (2, 1)))
    assert [written.getpixel((x, 0)) for x in (0, 1)] == [BLACK, WHITE]


def test_opaque_mask_with_an_alpha_channel_counts_by_its_colour() -> None:
    mask = Pillow.new("RGBA", (2, 1), (0, 0, 0, 255))
    mask.putpixel((1, 0), (255, 255, 255, 255))
    written = opened(as_mask(encoded(mask), "mask", (2, 1)))
    assert [written.getpixel((x, 0)) for x in (0, 1)] == [BLACK, WHITE]
