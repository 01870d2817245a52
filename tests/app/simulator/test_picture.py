"""Drawing: deterministic, sized, quick enough, and finer with every step."""

import io

import pytest
from PIL import Image, ImageChops, ImageStat

from app.simulator import picture
from app.simulator.picture import Scene


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(sum(ImageStat.Stat(ImageChops.difference(one, other)).mean))


@pytest.mark.parametrize("size", [(8, 8), (64, 56), (128, 64), (1200, 400)])
def test_picture_has_the_asked_size(size: tuple[int, int]) -> None:
    image = picture.draw(Scene("a castle", "", 3, ""), *size)
    assert (image.size, image.mode) == (size, "RGB")


@pytest.mark.parametrize(
    "other",
    [
        Scene("a lighthouse", "", 2, "m"),
        Scene("a lighthouse by day", "", 1, "m"),
        Scene("a lighthouse", "fog", 1, "m"),
        Scene("a lighthouse", "", 1, "n"),
    ],
)
def test_every_part_of_a_scene_matters(other: Scene) -> None:
    scene = Scene("a lighthouse", "", 1, "m")
    image = picture.draw(scene, 64, 64)
    assert image.tobytes() == picture.draw(scene, 64, 64).tobytes()
    assert image.tobytes() != picture.draw(other, 64, 64).tobytes()


def test_same_scene_looks_the_same_in_another_size() -> None:
    scene = Scene("a lighthouse at dusk", "", 1, "")
    small = picture.draw(scene, 128, 128)
    large = picture.draw(scene, 512, 512).resize((128, 128))
    foreign = picture.draw(Scene("a lighthouse at dusk", "", 2, ""), 128, 128)
    assert difference(small, large) < 12 < difference(small, foreign)


def test_stages_come_nearer_to_the_finished_picture() -> None:
    whole = picture.draw(Scene("mountains at noon", "", 4, ""), 256, 256)
    stages = [picture.unfinished(whole, fraction) for fraction in (0.0, 0.3, 0.6, 0.9, 1.0)]
    away = [difference(whole, stage) for stage in stages]
    assert away == sorted(away, reverse=True)
    assert away[-1] == 0


@pytest.mark.parametrize(("image_format", "expected"), [("jpeg", "JPEG"), ("webp", "WEBP")])
def test_encoded_picture_keeps_its_text(image_format: str, expected: str) -> None:
    image = Image.new("RGB", (16, 16))
    data = picture.encode(image, image_format, "Möwen 🕊")
    read = Image.open(io.BytesIO(data))
    assert read.format == expected
    comment = read.getexif().get_ifd(0x8769)[0x9286]
    assert comment.removeprefix(b"UNICODE\0").decode("utf-16-be") == "Möwen 🕊"
