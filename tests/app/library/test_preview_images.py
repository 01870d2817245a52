"""Tests of `app/library/preview_images.py`, over real HTTP."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.library.preview_images import MAX_SIDE_PX, PreviewImages
from tests.app.library.fetching import files_of
from tests.fakes.file_host import Endless, FileHost, Redirect, Trick
from tests.fakes.serving import Fault

HASH = "ab" * 32


def picture(colour: str, size: tuple[int, int] = (900, 1200), kind: str = "PNG") -> bytes:
    """The content of a file."""
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, kind)
    return written.getvalue()


@pytest.fixture
async def host() -> AsyncIterator[FileHost]:
    """A host with two pictures."""
    files = {"red.png": picture("red"), "blue.png": picture("blue", kind="JPEG")}
    async with FileHost(files).serving() as serving:
        yield serving


@pytest.fixture
async def previews(host: FileHost, tmp_path: Path) -> AsyncIterator[PreviewImages]:
    """Those of that host."""
    async with files_of(host.url) as files:
        made = PreviewImages(tmp_path / "previews", files)
        yield made
        await made.close()


def version(host: FileHost, *images: object) -> dict[str, Any]:
    """A model version with these pictures: a name, or what CivitAI says."""
    told = [{"url": f"{host.url}/{one}", "type": "image"} if isinstance(one, str) else one
            for one in images]  # fmt: skip
    return {"images": told}


async def test_picture_is_fetched_once_and_made_small(
    host: FileHost, previews: PreviewImages
) -> None:
    shown = version(host, "red.png")
    paths = await asyncio.gather(*(previews.get(HASH.upper(), shown) for _ in range(5)))
    assert len(set(paths)) == 1
    assert paths[0] is not None
    with Image.open(paths[0]) as small:
        assert (small.format, small.size) == ("WEBP", (337, MAX_SIDE_PX))
    assert await previews.get(HASH, shown) == paths[0]
    assert len(host.fetched) == 1


async def test_picture_for_everybody_is_preferred(host: FileHost, previews: PreviewImages) -> None:
    adult = {"url": f"{host.url}/red.png", "nsfwLevel": 8, "type": "image"}
    film = {"url": f"{host.url}/film.mp4", "nsfwLevel": 1, "type": "video"}
    harmless = {"url": f"{host.url}/blue.png", "nsfwLevel": 1, "type": "image"}
    assert await previews.get(HASH, version(host, adult, film, harmless)) is not None
    assert [one.path for one in host.fetched] == ["blue.png"]


@pytest.mark.parametrize(
    "trick",
    [
        Fault(200, b"<html>", {"Content-Type": "text/html"}),
        Fault(200, b"<svg/>", {"Content-Type": "image/svg+xml"}),
        Fault(200, picture("red")[:300], {"Content-Type": "image/png"}),
        Fault(200, picture("red", (20_000, 20_000)), {"Content-Type": "image/png"}),
        Fault(200, picture("red", (8000, 8000)), {"Content-Type": "image/png"}),
        Fault(200, b"", {"Content-Type": "image/png"}),
        Fault(500),
        Redirect("https://127.0.0.1/"),
        Endless(),
    ],
    ids=["page", "svg", "half", "bomb", "large", "empty", "error", "astray", "endless"],
)
async def test_what_is_no_picture_is_not_shown(
    host: FileHost, previews: PreviewImages, trick: Trick, tmp_path: Path
) -> None:
    host.tricks["red.png"] = [trick]
    assert await previews.get(HASH, version(host, "red.png")) is None
    assert not (tmp_path / "previews" / f"{HASH}.webp").exists()


async def test_second_picture_is_taken_when_the_first_is_broken(
    host: FileHost, previews: PreviewImages
) -> None:
    assert await previews.get(HASH, version(host, "gone.png", "blue.png")) is not None


async def test_failure_is_remembered_for_an_hour(host: FileHost, tmp_path: Path) -> None:
    now_s = [0.0]
    async with files_of(host.url) as files:
        previews = PreviewImages(tmp_path, files, clock=lambda: now_s[0])
        for _ in range(3):
            assert await previews.get(HASH, version(host, "gone.png")) is None
        assert len(host.fetched) == 1
        now_s[0] = 3601.0
        assert await previews.get(HASH, version(host, "red.png")) is not None


@pytest.mark.parametrize("shown", [{}, {"images": None}, {"images": [1, {}, {"url": 5}]}])
async def test_version_without_pictures_has_none(
    previews: PreviewImages, shown: dict[str, Any]
) -> None:
    assert await previews.get(HASH, shown) is None


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a.b", "x" * 65, "ä"])
async def test_name_that_is_no_hash_has_none(
    host: FileHost, previews: PreviewImages, name: str
) -> None:
    assert await previews.get(name, version(host, "red.png")) is None
    assert previews.path(name, {}) is None


async def test_another_version_of_a_file_has_another_picture(
    host: FileHost, previews: PreviewImages
) -> None:
    first = await previews.get(HASH, version(host, "red.png") | {"id": 5})
    other = await previews.get(HASH, version(host, "blue.png") | {"id": 6})
    assert first is not None
    assert other is not None
    assert first.read_bytes() != other.read_bytes()
