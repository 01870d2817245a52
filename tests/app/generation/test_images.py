"""Tests of pictures on disk: whole or absent, whatever happens."""

import asyncio
import errno
import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from app.errors import UpstreamFailed
from app.generation.images import DiskFailed, ImageStore, described


def picture(image_format: str = "PNG", size: tuple[int, int] = (24, 16)) -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", size, (1, 2, 3)).save(out, image_format)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), name) + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    store = ImageStore(tmp_path / "images")
    store.prepare()
    return store


def files(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "images").rglob("*") if path.is_file())


async def test_picture_is_kept_byte_for_byte(store: ImageStore) -> None:
    content = picture()
    stored = await store.save("abcdefgh", content)
    assert store.path(stored.file_name).read_bytes() == content
    assert stored.size_bytes == len(content)
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert (stored.width, stored.height, stored.media_type) == (24, 16, "image/png")
    assert stored.file_name.endswith("/abcdefgh.png")


@pytest.mark.parametrize(
    ("image_format", "media_type", "suffix"),
    [("PNG", "image/png", "png"), ("JPEG", "image/jpeg", "jpg"), ("WEBP", "image/webp", "webp")],
)
async def test_each_format_of_forge_is_known(
    store: ImageStore, image_format: str, media_type: str, suffix: str
) -> None:
    stored = await store.save("abcdefgh", picture(image_format, (40, 30)))
    assert (stored.media_type, stored.width, stored.height) == (media_type, 40, 30)
    assert stored.file_name.endswith(f".{suffix}")


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
async def test_picture_that_breaks_off_is_refused_and_leaves_nothing(
    store: ImageStore, tmp_path: Path, image_format: str
) -> None:
    whole = picture(image_format, (200, 200))
    for kept in (len(whole) - 1, len(whole) // 2, 30):
        if image_format == "JPEG" and kept == len(whole) - 1:
            continue  # only the second half of the end marker is missing: every pixel is there
        with pytest.raises(UpstreamFailed, match="no whole picture"):
            await store.save("abcdefgh", whole[:kept])
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>502</html>",
        picture("GIF"),
        picture("BMP"),
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"") + b"\0\0\0\0IEN",
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 2**32 - 1, b"IHDR") + bytes(100),
    ],
)
async def test_what_is_no_picture_is_refused(
    store: ImageStore, tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(UpstreamFailed):
        await store.save("abcdefgh", content)
    assert files(tmp_path) == []


@given(st.binary(max_size=200), st.sampled_from(["PNG", "JPEG", "WEBP", ""]))
@settings(max_examples=50)
def test_any_bytes_are_described_or_refused(content: bytes, image_format: str) -> None:
    start = picture(image_format)[: len(content)] if image_format else b""
    for data in (content, start + content):
        try:
            media_type, width, height = described(data)
        except UpstreamFailed:
            continue
        assert media_type in {"image/png", "image/jpeg", "image/webp"}
        assert width >= 0
        assert height >= 0


async def test_ids_that_differ_in_case_are_different_files_on_any_file_system(
    store: ImageStore,
) -> None:
    ids = ["abcdefgh", "ABCDEFGH", "Abcdefgh", "abcdefgH", "a-b_c-d_", "A-b_c-d_"]
    stored = [await store.save(job_id, picture(size=(8 + n, 8))) for n, job_id in enumerate(ids)]
    assert len({each.file_name.lower() for each in stored}) == len(ids)
    for number, each in enumerate(stored):
        assert described(store.path(each.file_name).read_bytes())[1] == 8 + number


async def test_saving_again_replaces_the_file(store: ImageStore, tmp_path: Path) -> None:
    await store.save("abcdefgh", picture(size=(8, 8)))
    stored = await store.save("abcdefgh", picture(size=(16, 16)))
    assert files(tmp_path) == [store.path(stored.file_name)]
    assert described(store.path(stored.file_name).read_bytes())[1] == 16


async def test_many_pictures_at_once_are_all_there(store: ImageStore, tmp_path: Path) -> None:
    ids = [f"picture-{number}" for number in range(50)]
    stored = await asyncio.gather(*(store.save(job_id, picture()) for job_id in ids))
    assert sorted(store.path(each.file_name) for each in stored) == files(tmp_path)


async def test_what_a_crash_left_half_written_is_removed_and_pictures_stay(
    store: ImageStore, tmp_path: Path
) -> None:
    stored = await store.save("abcdefgh", picture())
    path = store.path(stored.file_name)
    half = path.with_name("other-id.png.partial")
    half.write_bytes(picture()[:50])
    ImageStore(tmp_path / "images").prepare()
    assert files(tmp_path) == [path]


async def test_picture_is_flushed_before_it_gets_its_name_and_its_folders_after(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[int, bool]] = []
    fsync = os.fsync
    path = tmp_path / "images" / _folder_of("abcdefgh") / "abcdefgh.png"

    def noting(descriptor: int) -> None:
        flushed.append((os.fstat(descriptor).st_ino, path.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    await store.save("abcdefgh", picture())
    file, folder, images = (each.stat().st_ino for each in (path, *path.parents[:2]))
    # The folder is new, so that it is an entry of its parent, which has to be flushed as well.
    assert flushed == [(images, False), (file, False), (folder, True)]


async def test_full_disk_is_told_and_leaves_nothing(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "images" / _folder_of("abcdefgh")).mkdir()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFailed, match="No space left on device"):
        await store.save("abcdefgh", picture())
    monkeypatch.undo()
    assert files(tmp_path) == []
    await store.save("abcdefgh", picture())
    assert len(files(tmp_path)) == 1


async def test_disk_that_fills_up_keeps_the_picture_that_was_there(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await store.save("abcdefgh", picture(size=(8, 8)))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFailed):
        await store.save("abcdefgh", picture(size=(16, 16)))
    assert described(store.path(stored.file_name).read_bytes())[1] == 8


async def test_folder_that_became_a_file_is_told(store: ImageStore, tmp_path: Path) -> None:
    (tmp_path / "images").rmdir()
    (tmp_path / "images").write_text("in the way")
    with pytest.raises(DiskFailed, match="could not be saved"):
        await store.save("abcdefgh", picture())


def _folder_of(job_id: str) -> str:
    return hashlib.sha256(job_id.encode()).hexdigest()[:2]
