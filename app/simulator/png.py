"""PNG at the level of chunks: text, padding, cheap gradients. Needs no imaging library."""

import colorsys
import random
import struct
import zlib
from functools import lru_cache

HEADER_END = 33
"""Bytes of the signature and the IHDR chunk, which every PNG begins with."""

GRADIENTS = 64


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """Gives the PNG bytes with these chunks right behind its header."""
    return b"".join((png[:HEADER_END], *chunks, png[HEADER_END:]))


def text_chunk(keyword: str, text: str) -> bytes:
    """Gives a tEXt chunk, or an iTXt one when the text does not fit into Latin-1."""
    try:
        return chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        encoded = text.encode("utf-8", "replace")
        return chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + encoded)


@lru_cache(maxsize=4)
def padding_chunk(size_bytes: int) -> bytes:
    """Gives an ancillary private chunk (readers skip it) of incompressible data."""
    return chunk(b"npAd", random.Random(size_bytes).randbytes(size_bytes))


def finish(png: bytes, infotext: str, padding_bytes: int) -> bytes:
    """Gives the PNG bytes with the `parameters` text and the padding that is asked for."""
    chunks = [text_chunk("parameters", infotext)] if infotext else []
    if padding_bytes:
        chunks.append(padding_chunk(padding_bytes))
    return with_chunks(png, *chunks)


@lru_cache(maxsize=4 * GRADIENTS)
def gradient(width: int, height: int, number: int) -> bytes:
    """Gives an RGB picture, a vertical gradient: one of GRADIENTS that differ in colour."""
    hue = number / GRADIENTS
    top = colorsys.hsv_to_rgb(hue, 0.6, 0.45)
    bottom = colorsys.hsv_to_rgb((hue + 0.12) % 1.0, 0.45, 0.95)
    rows = []
    for y in range(height):
        share = y / max(1, height - 1)
        colour = bytes(round(255 * (a + (b - a) * share)) for a, b in zip(top, bottom, strict=True))
        rows.append(b"\0" + colour * width)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            chunk(b"IDAT", zlib.compress(b"".join(rows), 6)),
            chunk(b"IEND", b""),
        )
    )
