"""Tests of `app/scaling.py`: small WebPs of whatever Forge may have sent."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from app.scaling import MAX_PIXELS, UnreadablePicture, scaled

RED, BLUE = (250, 10, 10), (10, 10, 250)


def picture(
    size: tuple[int, int] = (640, 480), mode: str = "RGB", kind: str = "PNG", **options: object
) -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    drawn = Pillow.new("RGB", size, RED)
    drawn.paste(BLUE, (size[0] // 2, 0, *size))
    out = io.BytesIO()
    drawn.convert(mode).save(out, kind, **options)
    return out.getvalue()


def small(content: bytes, max_side_px: int = 256) -> Pillow.Image:
    """What the thumbnail shows."""
    found = Pillow.open(io.BytesIO(scaled(io.BytesIO(content), max_side_px)))
    assert found.format == "WEBP"
    found.load()
    return found


def looks_like(found: Pillow.Image, at: tuple[int, int], colour: tuple[int, ...]) -> bool:
    got = found.convert("RGB").getpixel(at)
    assert isinstance(got, tuple)
    return all(abs(one - other) < 40 for one, other in zip(got, colour, strict=True))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), name) + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 480), (256, 192)),
        ((480, 640), (192, 256)),
        ((1001, 1000), (256, 256)),
        ((3000, 20), (256, 2)),
        ((3000, 1), (256, 1)),
        ((256, 256), (256, 256)),
        ((257, 100), (256, 100)),
    ],
)
def test_longest_side_is_as_asked(
    kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert small(picture(size, kind=kind)).size == expected


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_small_picture_is_not_enlarged(kind: str) -> None:
    found = small(picture((64, 48), kind=kind))
    assert found.size == (64, 48)
    assert looks_like(found, (5, 20), RED)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "PNG"),
        ("RGBA", "PNG"),
        ("P", "PNG"),
        ("RGB", "JPEG"),
        ("CMYK", "JPEG"),
        ("RGB", "WEBP"),
        ("RGBA", "WEBP"),
    ],
)
def test_colours_stay(mode: str, kind: str) -> None:
    found = small(picture(mode=mode, kind=kind))
    assert looks_like(found, (10, 10), RED)
    assert looks_like(found, (245, 180), BLUE)


@pytest.mark.parametrize("mode", ["1", "L", "I;16"])
def test_greyscale_of_any_depth_keeps_its_brightness(mode: str) -> None:
    out = io.BytesIO()
    light = {"1": 1, "L": 200, "I;16": 200 * 256}[mode]
    Pillow.new(mode, (600, 600), light).save(out, "PNG")
    expected = 255 if mode == "1" else 200
    assert looks_like(small(out.getvalue()), (100, 100), (expected,) * 3)


def test_transparency_stays_and_does_not_darken_edges() -> None:
    drawn = Pillow.new("RGBA", (600, 600), (0, 0, 0, 0))
    drawn.paste((250, 250, 250, 255), (300, 0, 600, 600))
    for keep in ("RGBA", "P"):
        out = io.BytesIO()
        drawn.convert(keep).save(out, "PNG")
        found = small(out.getvalue())
        assert found.mode == "RGBA"
        assert found.getpixel((20, 20))[3] == 0  # type: ignore[index]
        edge = [found.getpixel((x, 100)) for x in range(120, 140)]
        seen = [pixel[0] for pixel in edge if pixel[3] > 128]  # type: ignore[index]
        assert min(seen) > 200


def test_one_transparent_colour_becomes_transparency() -> None:
    content = picture(transparency=RED)
    found = small(content)
    assert found.getpixel((10, 10))[3] == 0  # type: ignore[index]
    assert found.getpixel((250, 10))[3] == 255  # type: ignore[index]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_picture_that_lies_on_its_side_is_turned(kind: str) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # the camera was turned: what is left comes to the top
    found = small(picture((640, 320), kind=kind, exif=exif))
    assert found.size == (128, 256)
    assert looks_like(found, (60, 10), RED)
    assert looks_like(found, (60, 245), BLUE)
    assert 0x0112 not in found.getexif()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_nonsense_in_exif_is_no_obstacle() -> None:
    assert small(picture(kind="JPEG", exif=b"Exif\0\0II*\0nonsense" + bytes(9))).size == (256, 192)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animation_is_shown_by_its_first_frame(kind: str) -> None:
    frames = [Pillow.new("RGB", (400, 400), colour) for colour in (RED, BLUE, BLUE)]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=50)
    found = small(out.getvalue())
    assert getattr(found, "n_frames", 1) == 1
    assert looks_like(found, (100, 100), RED)


def test_infotext_is_not_in_it_and_a_profile_is() -> None:
    told = PngInfo()
    told.add_text("parameters", "a secret fox")
    content = picture(pnginfo=told, icc_profile=b"a profile of RGB" + bytes(200))
    thumbnail = scaled(io.BytesIO(content), 256)
    assert b"secret" not in thumbnail
    assert b"a profile of RGB" in thumbnail
    cmyk = picture(mode="CMYK", kind="JPEG", icc_profile=b"a profile of CMYK" + bytes(200))
    assert b"profile" not in scaled(io.BytesIO(cmyk), 256)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_picture_that_breaks_off_is_refused(kind: str) -> None:
    drawn = Pillow.effect_noise((400, 400), 80).convert("RGB")
    out = io.BytesIO()
    drawn.save(out, kind)
    content = out.getvalue()
    for kept in (0, 1, 20, len(content) // 2, len(content) * 9 // 10):
        with pytest.raises(UnreadablePicture):
            scaled(io.BytesIO(content[:kept]), 256)


def test_other_kinds_of_files_are_refused() -> None:
    for content in (b"", b"<html>", bytes(5000), picture(kind="GIF"), picture(kind="BMP")):
        with pytest.raises(UnreadablePicture, match="damaged"):
            scaled(io.BytesIO(content), 256)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(9600, 9400), (30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_decompression_bomb_is_refused_unread(size: tuple[int, int]) -> None:
    assert size[0] * size[1] > MAX_PIXELS
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(10**6)))
    with pytest.raises(UnreadablePicture, match=f"more than {MAX_PIXELS} pixels"):
        scaled(io.BytesIO(bomb + chunk(b"IEND", b"")), 256)


@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.data())
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
def test_tampered_picture_is_scaled_or_refused(kind: str, data: st.DataObject) -> None:
    content = bytearray(picture((40, 30), kind=kind))
    places = st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)
    for place in data.draw(places):
        content[place] = data.draw(st.integers(0, 255))
    try:
        thumbnail = scaled(io.BytesIO(bytes(content)), 128)
    except UnreadablePicture:
        return
    assert thumbnail.startswith(b"RIFF")
