"""What png-info answers: the infotext of a picture, taken apart as Forge does it.

Source: recordings `png-info/*`. The UI defaults are added even for pictures without metadata.
"""

import base64
import binascii
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.simulator.catalogue import Lora
from app.simulator.errors import INVALID_IMAGE, DetailError
from app.simulator.infotext import LORA_TAG

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

_ENTRY = re.compile(r'\s*(\w[\w \-/]*):\s*("(?:\\.|[^"\\])*"|[^,]*)(?:,|$)')
_SIZE = re.compile(r"(\d+)x(\d+)")
_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286

_UI_DEFAULTS: dict[str, object] = {
    "Clip skip": "1",
    "Hires resize-1": 0,
    "Hires resize-2": 0,
    "Hires sampler": "Use same sampler",
    "Hires schedule type": "Use same scheduler",
    "Hires checkpoint": "Use same checkpoint",
    "Hires prompt": "",
    "Hires negative prompt": "",
    "Mask mode": "Inpaint masked",
    "Masked content": "original",
    "Inpaint area": "Whole picture",
    "Masked area padding": 32,
    "RNG": "GPU",
    "Schedule type": "Automatic",
    "Schedule max sigma": 0,
    "Schedule min sigma": 0,
    "Schedule rho": 0,
    "VAE Encoder": "Full",
    "VAE Decoder": "Full",
    "FP8 weight": "Disable",
    "Refiner switch by sampling steps": False,
}

_CONTAINER_KEYS = frozenset(
    {
        "parameters", "exif", "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "gamma",
        "icc_profile", "chromaticity", "photoshop", "loop", "duration", "timestamp", "background",
        "srgb", "transparency", "progressive", "progression", "interlace",
    }
)  # fmt: skip


def decode_image(text: object) -> "PilImage":
    """Gives the picture in bare base64 or a data URI. Raises Forge's 500. Blocking."""
    from PIL import Image, UnidentifiedImageError

    if not isinstance(text, str):
        raise DetailError(500, INVALID_IMAGE)
    if text.startswith("data:image/"):
        text = text.partition(",")[2]
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(text)))
        picture.load()
    except (binascii.Error, ValueError, OSError, SyntaxError, UnidentifiedImageError) as error:
        raise DetailError(500, INVALID_IMAGE) from error
    return picture


def png_info(text: object, loras: Sequence[Lora]) -> dict[str, object]:
    """Gives the answer of POST /sdapi/v1/png-info. Blocking."""
    picture = decode_image(text)
    infotext = _infotext_of(picture)
    items = {
        str(key): str(value) for key, value in picture.info.items() if key not in _CONTAINER_KEYS
    }
    return {"info": infotext, "items": items, "parameters": parse(infotext, loras)}


def parse(infotext: str, loras: Sequence[Lora] = ()) -> dict[str, object]:
    """Gives the entries of an infotext (strings), then the UI defaults of those left out."""
    lines = infotext.strip().split("\n")
    entries = _entries(lines[-1])
    if len(entries) < 3:
        entries = {}
    else:
        lines = lines[:-1]
    prompt, negative = _prompts(lines)
    entries.pop("Model", None)
    parameters: dict[str, object] = dict(entries)
    parameters["Prompt"] = _with_aliases(prompt, loras)
    parameters["Negative prompt"] = negative
    parameters |= {key: value for key, value in _UI_DEFAULTS.items() if key not in parameters}
    hires_modules = [value for key, value in entries.items() if key.startswith("Hires Module")]
    built_in = bool(hires_modules) and hires_modules[0] == "Built-in"
    parameters["Hires VAE/TE"] = [] if built_in else hires_modules or ["Use same choices"]
    return parameters


def _infotext_of(picture: "PilImage") -> str:
    text = picture.info.get("parameters")
    if isinstance(text, str):
        return text
    comment = picture.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT)
    if isinstance(comment, bytes) and comment.startswith(b"UNICODE\0"):
        return comment[8:].decode("utf-16-be", "replace")
    return ""


def _entries(line: str) -> dict[str, str]:
    entries = {}
    for key, value in _ENTRY.findall(line):
        text = _unquoted(value)
        size = _SIZE.fullmatch(text)
        if size:
            entries[f"{key}-1"], entries[f"{key}-2"] = size.groups()
        else:
            entries[key] = text
    return entries


def _unquoted(value: str) -> str:
    text = value.strip()
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        try:
            decoded: Any = json.loads(text)
        except json.JSONDecodeError:
            return text
        return str(decoded)
    return text


def _prompts(lines: Sequence[str]) -> tuple[str, str]:
    prompt: list[str] = []
    negative: list[str] = []
    target = prompt
    for raw in lines:
        line = raw.strip()
        if line.startswith("Negative prompt:"):
            target = negative
            line = line.removeprefix("Negative prompt:").strip()
        target.append(line)
    return "\n".join(prompt).strip(), "\n".join(negative).strip()


def _with_aliases(prompt: str, loras: Sequence[Lora]) -> str:
    aliases: Mapping[str, str] = {lora.name: lora.alias for lora in loras}
    return LORA_TAG.sub(lambda tag: f"<lora:{aliases.get(tag[1], tag[1])}{tag[2]}>", prompt)
