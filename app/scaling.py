"""Scales a picture down to a small WebP. Blocking work for a thread; knows no cache.

Pillow is imported inside, so that an idle process does without it.
"""

import contextlib
import io
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO

from app.errors import NavigatorError

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

MEDIA_TYPE = "image/webp"
MAX_PIXELS = 89_478_485  # where Pillow begins to suspect a decompression bomb; 270 MB as RGB
_FORMATS = ("PNG", "JPEG", "WEBP")
_QUALITY = 80
_REDUCING_GAP = 2.0  # lets JPEG be decoded smaller, and shrinks the rest in two cheap steps
_SCALABLE = {"RGB", "RGBA", "L"}
_KEEPING_PROFILE = {"RGB", "RGBA", "P"}
_SIXTEEN_BITS = {"I", "I;16", "I;16B"}
# What Pillow raises at files that break off or were tampered with.
_BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, OverflowError,
    AttributeError, AssertionError, struct.error, zlib.error,
)  # fmt: skip


class UnreadablePicture(NavigatorError):
    """The file of a picture is damaged, is no picture, or is too large to be scaled."""

    status = 422
    code = "UNREADABLE_PICTURE"


def scaled(file: BinaryIO, max_side_px: int, *, max_pixels: int = MAX_PIXELS) -> bytes:
    """WebP whose longest side is `max_side_px`, or the picture's own size if that is smaller.

    Upright even if the picture is to be turned by its EXIF data; transparent where it is; of an
    animation the first frame. Nothing of the infotext is kept. Raises `UnreadablePicture`, also
    for one of more than `max_pixels`.
    """
    from PIL import Image as Pillow  # noqa: PLC0415

    try:
        with Pillow.open(file, formats=_FORMATS) as picture:
            if picture.width * picture.height > max_pixels:
                raise _too_large()
            return _webp(_upright(_reduced(picture, max_side_px)))
    except Pillow.DecompressionBombError as error:
        raise _too_large() from error
    except _BROKEN as error:
        raise UnreadablePicture("The picture's file is damaged.") from error


def _reduced(picture: "PilImage", max_side_px: int) -> "PilImage":
    from PIL import Image as Pillow  # noqa: PLC0415

    if picture.mode not in _KEEPING_PROFILE:  # a profile of CMYK or grey says nothing about RGB
        picture.info.pop("icc_profile", None)
    # Palettes and the like cannot be blended; a greyscale of 16 bits would become white.
    if picture.mode in _SIXTEEN_BITS:
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    elif picture.mode != "RGBA" and picture.has_transparency_data:
        picture = picture.convert("RGBA")
    elif picture.mode not in _SCALABLE:
        picture = picture.convert("RGB")
    picture.thumbnail(
        (max_side_px, max_side_px), Pillow.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP
    )
    picture.load()
    return picture


def _upright(picture: "PilImage") -> "PilImage":
    from PIL import ImageOps  # noqa: PLC0415

    with contextlib.suppress(*_BROKEN):  # nonsense in the EXIF data is no reason to show nothing
        return ImageOps.exif_transpose(picture)
    return picture


def _webp(picture: "PilImage") -> bytes:
    out = io.BytesIO()
    profile = picture.info.get("icc_profile")
    picture.save(out, "WEBP", quality=_QUALITY, icc_profile=profile)
    return out.getvalue()


def _too_large() -> UnreadablePicture:
    return UnreadablePicture(f"The picture has more than {MAX_PIXELS} pixels.")
