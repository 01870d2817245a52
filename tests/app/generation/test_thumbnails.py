"""Tests of `app/generation/thumbnails.py`: each thumbnail is made once, few at a time."""

import asyncio
import hashlib
import io
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from app.errors import NotFound
from app.generation.images import ImageStore, StoredImage
from app.generation.thumbnails import SIZES_PX, Thumbnails, size_at_least
from app.scaling import UnreadablePicture
from tests.waiting import until


class Decodes:
    """Counts the pictures that Pillow opens, and how many of them at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.count = self.running = self.most = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self._lock = threading.Lock()
        opened = Pillow.open

        def counting(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                self.count += 1
                self.running += 1
                self.most = max(self.most, self.running)
            try:
                self.may_go_on.wait(10)
                picture = opened(*args, **kwargs)
                picture.load()
                return picture
            finally:
                with self._lock:
                    self.running -= 1

        monkeypatch.setattr(Pillow, "open", counting)


@pytest.fixture
def decodes(monkeypatch: pytest.MonkeyPatch) -> Decodes:
    return Decodes(monkeypatch)


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


@pytest.fixture
async def thumbnails(tmp_path: Path, images: ImageStore) -> AsyncIterator[Thumbnails]:
    made = Thumbnails(tmp_path / "thumbnails", images, max_bytes=10_000_000)
    async with made.opened():
        yield made


def picture(size: tuple[int, int] = (600, 400)) -> bytes:
    out = io.BytesIO()
    Pillow.effect_noise(size, 60).convert("RGB").save(out, "PNG")
    return out.getvalue()


async def stored(images: ImageStore, image_id: str, content: bytes | None = None) -> StoredImage:
    return await images.save(image_id, content or picture())


async def get(
    thumbnails: Thumbnails, image_id: str, of: StoredImage, size_px: int = 256
) -> tuple[int, int]:
    """Width and height of the thumbnail."""
    content = await thumbnails.get(image_id, of.file_name, of.sha256, size_px)
    with Pillow.open(io.BytesIO(content)) as found:
        assert found.format == "WEBP"
        return found.size


def kept(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "thumbnails").rglob("*.*"))


@pytest.mark.parametrize(
    ("wanted_px", "size_px"),
    [(1, 128), (128, 128), (129, 256), (256, 256), (300, 512), (512, 512), (513, 1024)],
)
def test_size_is_the_next_one_up(wanted_px: int, size_px: int) -> None:
    assert size_at_least(wanted_px) == size_px


async def test_each_size_is_made_once_and_kept(
    thumbnails: Thumbnails, images: ImageStore, tmp_path: Path, decodes: Decodes
) -> None:
    of = await stored(images, "abcdefgh")
    first = [
        await thumbnails.get("abcdefgh", of.file_name, of.sha256, size_px) for size_px in SIZES_PX
    ]
    assert (decodes.count, len(kept(tmp_path))) == (4, 4)
    again = [
        await thumbnails.get("abcdefgh", of.file_name, of.sha256, size_px) for size_px in SIZES_PX
    ]
    assert decodes.count == 4
    assert again == first


async def test_what_is_kept_outlives_a_restart(
    images: ImageStore, tmp_path: Path, decodes: Decodes
) -> None:
    of = await stored(images, "abcdefgh")
    for _ in range(2):
        thumbnails = Thumbnails(tmp_path / "thumbnails", images, max_bytes=10_000_000)
        async with thumbnails.opened():
            await thumbnails.get("abcdefgh", of.file_name, of.sha256, 256)
    assert decodes.count == 1


async def test_burst_decodes_no_picture_twice_and_two_at_a_time_at_most(
    thumbnails: Thumbnails, images: ImageStore, decodes: Decodes
) -> None:
    pictures = {f"picture-{n}": await stored(images, f"picture-{n}") for n in range(10)}
    wanted = [
        thumbnails.get(image_id, of.file_name, of.sha256, 256)
        for _ in range(5)
        for image_id, of in pictures.items()
    ]
    made = await asyncio.gather(*wanted)
    assert len(made) == 50
    assert len(set(made)) == 10
    assert (decodes.count, decodes.most) == (10, 2)


async def test_ids_that_differ_in_case_have_thumbnails_of_their_own(
    thumbnails: Thumbnails, images: ImageStore
) -> None:
    shapes = {"abcdefgh": (300, 200), "ABCDEFGH": (200, 300)}
    for image_id, shape in shapes.items():
        of = await stored(images, image_id, picture(shape))
        width, height = await get(thumbnails, image_id, of)
        assert (width > height) == (shape[0] > shape[1])


async def test_new_picture_of_an_old_id_gets_a_new_thumbnail(
    thumbnails: Thumbnails, images: ImageStore
) -> None:
    assert await get(
        thumbnails, "abcdefgh", await stored(images, "abcdefgh", picture((300, 200)))
    ) == (256, 171)
    assert await get(
        thumbnails, "abcdefgh", await stored(images, "abcdefgh", picture((200, 300)))
    ) == (171, 256)


async def test_without_a_file_there_is_none_even_if_one_was_kept(
    thumbnails: Thumbnails, images: ImageStore
) -> None:
    of = await stored(images, "abcdefgh")
    await get(thumbnails, "abcdefgh", of)
    images.path(of.file_name).unlink()
    with pytest.raises(NotFound):
        await get(thumbnails, "abcdefgh", of)


async def test_damaged_picture_is_refused_to_everybody_who_waits(
    thumbnails: Thumbnails, images: ImageStore, tmp_path: Path
) -> None:
    of = await stored(images, "abcdefgh")
    path = images.path(of.file_name)
    path.write_bytes(path.read_bytes()[:5000])
    wanted = [thumbnails.get("abcdefgh", of.file_name, of.sha256, 256) for _ in range(3)]
    errors = await asyncio.gather(*wanted, return_exceptions=True)
    assert [type(error) for error in errors] == [UnreadablePicture] * 3
    assert kept(tmp_path) == []


async def test_thumbnail_is_given_when_it_cannot_be_kept(
    images: ImageStore, tmp_path: Path
) -> None:
    (tmp_path / "thumbnails").write_text("in the way")
    of = await stored(images, "abcdefgh")
    thumbnails = Thumbnails(tmp_path / "thumbnails", images, max_bytes=10_000_000)
    async with thumbnails.opened():
        for _ in range(2):
            assert await get(thumbnails, "abcdefgh", of) == (256, 171)


async def test_removal_takes_every_size(
    thumbnails: Thumbnails, images: ImageStore, tmp_path: Path
) -> None:
    for image_id in ("abcdefgh", "abcdefghi"):
        of = await stored(images, image_id)
        for size_px in SIZES_PX:
            await get(thumbnails, image_id, of, size_px)
    await thumbnails.remove("abcdefgh")
    await thumbnails.remove("unknown0")
    start = hashlib.sha256(b"abcdefghi").hexdigest()[:32]
    assert len(kept(tmp_path)) == 4
    assert all(name.startswith(start) for name in kept(tmp_path))


@pytest.mark.parametrize("file_goes_first", [True, False])
async def test_picture_removed_while_its_thumbnail_is_made_leaves_nothing(
    thumbnails: Thumbnails,
    images: ImageStore,
    tmp_path: Path,
    decodes: Decodes,
    file_goes_first: bool,
) -> None:
    of = await stored(images, "abcdefgh")
    decodes.may_go_on.clear()
    making = asyncio.create_task(thumbnails.get("abcdefgh", of.file_name, of.sha256, 256))
    await until(lambda: decodes.running)
    if file_goes_first:
        images.path(of.file_name).unlink()
    removing = asyncio.create_task(thumbnails.remove("abcdefgh"))
    decodes.may_go_on.set()
    assert (await making).startswith(b"RIFF")
    await removing
    assert kept(tmp_path) == []


async def test_one_that_waits_may_leave_and_the_others_are_served(
    thumbnails: Thumbnails, images: ImageStore, decodes: Decodes
) -> None:
    of = await stored(images, "abcdefgh")
    decodes.may_go_on.clear()
    first, second = (
        asyncio.create_task(thumbnails.get("abcdefgh", of.file_name, of.sha256, 256))
        for _ in range(2)
    )
    await until(lambda: decodes.running)
    first.cancel()
    await asyncio.wait([first])
    decodes.may_go_on.set()
    assert (await second).startswith(b"RIFF")
    assert decodes.count == 1


async def test_failure_that_nobody_waits_for_any_more_is_no_complaint(
    thumbnails: Thumbnails, images: ImageStore, decodes: Decodes
) -> None:
    of = await stored(images, "abcdefgh")
    images.path(of.file_name).write_bytes(b"nonsense")
    decodes.may_go_on.clear()
    waiting = asyncio.create_task(thumbnails.get("abcdefgh", of.file_name, of.sha256, 256))
    await until(lambda: decodes.running)
    waiting.cancel()
    await asyncio.wait([waiting])
    decodes.may_go_on.set()
    await until(lambda: not decodes.running)
    with pytest.raises(UnreadablePicture):
        await thumbnails.get("abcdefgh", of.file_name, of.sha256, 256)


async def test_end_does_not_wait_for_what_has_not_begun(
    images: ImageStore, tmp_path: Path, decodes: Decodes
) -> None:
    thumbnails = Thumbnails(tmp_path / "thumbnails", images, max_bytes=10_000_000)
    pictures = [await stored(images, f"picture-{n}") for n in range(6)]
    decodes.may_go_on.clear()
    async with thumbnails.opened():
        wanted = [
            asyncio.create_task(thumbnails.get(f"picture-{n}", of.file_name, of.sha256, 256))
            for n, of in enumerate(pictures)
        ]
        # All are asked for: before the end of the block, as requests are.
        await until(lambda: decodes.running == 2 and len(thumbnails._making) == len(wanted))
        decodes.may_go_on.set()
    await asyncio.wait(wanted)
    assert decodes.running == 0
    assert all(each.cancelled() or each.result().startswith(b"RIFF") for each in wanted)
