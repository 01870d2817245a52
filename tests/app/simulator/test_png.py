"""PNG chunks: readable by an ordinary reader, and cheap pictures without one."""

import io

import pytest
from PIL import Image

from app.simulator import png


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("text", ["plain, with = signs", "Möwe", "灯台 🕊\nSteps: 2"])
def test_text_is_read_back(text: str) -> None:
    image = opened(png.finish(png.gradient(16, 8, 3), text, 0))
    assert image.info == {"parameters": text}


def test_padding_adds_its_size_and_is_skipped() -> None:
    plain = png.finish(png.gradient(16, 8, 3), "x", 0)
    padded = png.finish(png.gradient(16, 8, 3), "x", 5000)
    assert len(padded) - len(plain) == 5000 + 12
    assert opened(padded).tobytes() == opened(plain).tobytes()


def test_gradients_differ_by_number() -> None:
    pictures = {opened(png.gradient(8, 8, number)).tobytes() for number in range(png.GRADIENTS)}
    assert len(pictures) == png.GRADIENTS
    image = opened(png.gradient(24, 40, 1))
    assert (image.size, image.mode) == ((24, 40), "RGB")
