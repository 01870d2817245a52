"""Pictures that clients send, made safe: decoded, checked, and written anew as plain RGB PNGs.

Blocks; call it in a thread.
"""

import base64
import binascii
import io
import logging
import re

from PIL import Image as Pillow
from PIL import ImageOps

from app.errors import InvalidInput

log = logging.getLogger(__name__)

MAX_PIXELS = 25_000_000
_DATA_URI = re.compile(r"\s*data:[\w/+.;=-]*;base64,", re.ASCII)
_FORMATS = ("PNG", "JPEG", "WEBP")
_WHITE = (255, 255, 255)


def picture_bytes(text: str, field: str) -> bytes:
    """The bytes in base64 text or a data URI. Raises `InvalidInput` naming the field.

    An address is refused: Forge would fetch it [img2img/init_images_url].
    """
    prefix = _DATA_URI.match(text)
    start = prefix.end() if prefix else 0
    try:
        return base64.b64decode("".join(text[start:].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(
            f"{field} must be a picture as base64 text or as a data URI.", code="INVALID_PICTURE"
        ) from error


def as_rgb_png(content: bytes, field: str) -> bytes:
    """The PNG, JPEG or WebP as an RGB PNG, turned the way that its camera says, on white.

    Raises `InvalidInput` naming the field when it is no picture or has too many pixels.
    """
    with _opened(content, field) as picture:
        return _png(_on_white(_upright(picture)))


def as_mask(content: bytes, field: str, size: tuple[int, int]) -> bytes:
    """The mask as an RGB PNG of this size. A partly transparent one counts by its opacity, as in
    Forge. Raises as `as_rgb_png`."""
    with _opened(content, field) as picture:
        turned = _upright(picture)
        if "A" in turned.getbands() or "transparency" in turned.info:
            opacity = turned.convert("RGBA").getchannel("A")
            is_opaque = opacity.getextrema() == (255, 255)
            turned = turned if is_opaque else opacity
        drawn = _on_white(turned)
        if drawn.size != size:
            drawn = drawn.resize(size, Pillow.Resampling.NEAREST)
        return _png(drawn)


def size_of_png(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG of ours."""
    with Pillow.open(io.BytesIO(content), formats=("PNG",)) as picture:
        return picture.size


def _opened(content: bytes, field: str) -> Pillow.Image:
    try:
        picture = Pillow.open(io.BytesIO(content), formats=_FORMATS)
        if picture.width * picture.height > MAX_PIXELS:
            raise InvalidInput(
                f"{field} has too many pixels; the limit is {MAX_PIXELS // 1_000_000} million.",
                code="TOO_MANY_PIXELS",
            )
        picture.load()
    except InvalidInput:
        raise
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise InvalidInput(f"{field} has too many pixels.", code="TOO_MANY_PIXELS") from error
    except Exception as error:  # broken files make the decoders raise nearly anything
        raise InvalidInput(
            f"{field} is not a whole PNG, JPEG or WebP picture.", code="INVALID_PICTURE"
        ) from error
    return picture


def _upright(picture: Pillow.Image) -> Pillow.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception as error:  # nonsense in the EXIF data makes it raise nearly anything
        log.debug("a picture stays as it lies: %r", error)
        return picture


def _on_white(picture: Pillow.Image) -> Pillow.Image:
    if picture.mode.startswith("I") or picture.mode == "F":  # 16 bits; converting would clip
        return picture.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if "A" in picture.getbands() or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Pillow.new("RGB", layer.size, _WHITE)
        ground.paste(layer, mask=layer.getchannel("A"))
        return ground
    return picture.convert("RGB")


def _png(picture: Pillow.Image) -> bytes:
    picture.info = {}  # what the client's file carried besides pixels stays behind
    written = io.BytesIO()
    picture.save(written, "PNG", compress_level=1)
    return written.getvalue()
