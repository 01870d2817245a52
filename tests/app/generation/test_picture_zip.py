"""Tests of `app/generation/picture_zip.py`: a ZIP that any program unpacks."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import pytest

from app.generation.images import ImageStore
from app.generation.models import Image
from app.generation.picture_zip import DAMAGED, GONE, LISTING, PictureZip

MOMENT = datetime(2026, 3, 4, 5, 6, 8, 890123, tzinfo=UTC)


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    store = ImageStore(tmp_path / "images")
    store.prepare()
    return store


def row(images: ImageStore, image_id: str, content: bytes | None, **values: Any) -> Image:
    """A row that was not saved, and its file unless `content` is None."""
    fields: dict[str, Any] = {
        "id": image_id,
        "owner_id": "owner",
        "file_name": f"ab/{image_id}.png",
        "media_type": "image/png",
        "size_bytes": len(content or b""),
        "sha256": "0" * 64,
        "width": 64,
        "height": 48,
        "infotext": f"a fox\nSteps: 20, Seed: {image_id}, CFG scale: 7",
        "parameters": {"Seed": image_id},
        "created_at": MOMENT,
    }
    image = Image(**(fields | values))
    image.category_id = None  # without a database, Tortoise knows no foreign keys
    if content is not None:
        path = images.path(image.file_name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return image


def zipped(images: ImageStore, *pages: Iterable[Image]) -> ZipFile:
    """The finished ZIP, checked."""
    writing = PictureZip(images, {})
    content = b"".join(piece for page in pages for piece in writing.add(page))
    content += b"".join(writing.end())
    writing.close()
    found = ZipFile(io.BytesIO(content))
    assert found.testzip() is None
    return found


def listing(found: ZipFile) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(found.read(LISTING))
    return told


def test_picture_infotext_and_listing_are_in_it(images: ImageStore) -> None:
    found = zipped(images, [row(images, "abcdefgh", b"the picture")])
    assert found.namelist() == [
        "2026-03-04_abcdefgh.txt",
        "2026-03-04_abcdefgh.png",
        "pictures.json",
    ]
    assert found.read("2026-03-04_abcdefgh.png") == b"the picture"
    text = found.read("2026-03-04_abcdefgh.txt").decode()
    assert text == "a fox\nSteps: 20, Seed: abcdefgh, CFG scale: 7"
    assert listing(found) == [
        {
            "id": "abcdefgh",
            "file": "2026-03-04_abcdefgh.png",
            "created_at": "2026-03-04T05:06:08.890123Z",
            "width": 64,
            "height": 48,
            "media_type": "image/png",
            "sha256": "0" * 64,
            "category": None,
            "infotext": text,
            "parameters": {"Seed": "abcdefgh"},
        }
    ]


def test_entries_have_the_time_and_the_rights_of_files(images: ImageStore) -> None:
    found = zipped(images, [row(images, "abcdefgh", b"the picture")])
    info = found.getinfo("2026-03-04_abcdefgh.png")
    assert info.date_time == (2026, 3, 4, 5, 6, 8)
    assert info.compress_type == ZIP_STORED
    assert {entry.external_attr >> 16 for entry in found.infolist()} == {0o100644}


def test_nothing_makes_an_empty_listing(images: ImageStore) -> None:
    found = zipped(images)
    assert found.namelist() == ["pictures.json"]
    assert listing(found) == []


def test_every_piece_has_something_in_it(images: ImageStore) -> None:
    writing = PictureZip(images, {})
    rows = [row(images, f"picture-{n}", bytes(300_000)) for n in range(8)]
    pieces = [*writing.add(rows), *writing.end()]
    writing.close()
    assert all(pieces)
    assert all(len(piece) < 2_000_000 for piece in pieces)


def test_large_picture_comes_in_pieces_and_whole(images: ImageStore) -> None:
    content = bytes(range(256)) * 20_000
    writing = PictureZip(images, {})
    pieces = [*writing.add([row(images, "abcdefgh", content)]), *writing.end()]
    writing.close()
    assert len(pieces) > 5
    found = ZipFile(io.BytesIO(b"".join(pieces)))
    assert found.read("2026-03-04_abcdefgh.png") == content


def test_what_cannot_be_read_is_left_out_and_told(images: ImageStore) -> None:
    rows = [
        row(images, "missing-1", None),
        row(images, "short-one", b"half", size_bytes=8),
        row(images, "longer-1", b"too much", size_bytes=4),
        row(images, "whole-one", b"whole"),
        row(images, "folder-1", None),
    ]
    images.path("ab/folder-1.png").mkdir()
    found = zipped(images, rows)
    pictures = [name for name in found.namelist() if name.endswith(".png")]
    assert pictures == ["2026-03-04_whole-one.png"]
    told = {entry["id"]: (entry["file"], entry.get("problem")) for entry in listing(found)}
    assert told == {
        "missing-1": (None, GONE),
        "short-one": (None, DAMAGED),
        "longer-1": (None, DAMAGED),
        "whole-one": ("2026-03-04_whole-one.png", None),
        "folder-1": (None, GONE),
    }
    # What is known of it is not lost with it, but there is no text without a picture.
    assert listing(found)[0]["infotext"].startswith("a fox")
    assert len(found.namelist()) == 3


def test_picture_without_infotext_has_no_text_file(images: ImageStore) -> None:
    found = zipped(images, [row(images, "abcdefgh", b"x", infotext="", parameters={})])
    assert found.namelist() == ["2026-03-04_abcdefgh.png", "pictures.json"]


def test_every_character_stays(images: ImageStore) -> None:
    prompt = 'a \U0001f98a, “quotes” "\\ \n\t\x7f Ø'
    found = zipped(
        images, [row(images, "abcdefgh", b"x", infotext=prompt, parameters={"Prompt": prompt})]
    )
    assert found.read("2026-03-04_abcdefgh.txt").decode() == prompt
    assert listing(found)[0]["infotext"] == listing(found)[0]["parameters"]["Prompt"] == prompt


def test_time_before_zips_were_invented_is_no_obstacle(images: ImageStore) -> None:
    old = datetime(1970, 1, 1, tzinfo=UTC)
    found = zipped(images, [row(images, "abcdefgh", b"x", created_at=old)])
    assert found.namelist()[1] == "1970-01-01_abcdefgh.png"


async def test_names_differ_on_systems_without_upper_case(images: ImageStore) -> None:
    rows = []
    for image_id in ("abcdefgh", "ABCDEFGH", "aBcDeFgH"):
        stored = await images.save(image_id, png())
        rows.append(
            row(images, image_id, None, file_name=stored.file_name, size_bytes=stored.size_bytes)
        )
    names = zipped(images, rows).namelist()
    assert len({name.lower() for name in names}) == len(names) == 7


@pytest.mark.parametrize(
    "limit", ["ZIP_FILECOUNT_LIMIT", "ZIP64_LIMIT"], ids=["files", "gigabytes"]
)
def test_more_than_an_old_zip_can_have_is_no_obstacle(
    images: ImageStore, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """The limits of the old form are lowered, so that a little is too much for it."""
    monkeypatch.setattr(zipfile, limit, 5)
    rows = [row(images, f"picture-{n}", bytes(700_000), infotext="") for n in range(8)]
    found = zipped(images, rows)
    monkeypatch.undo()
    assert found.fp is not None
    found.fp.seek(0)
    content = found.fp.read()
    assert b"PK\x06\x06" in content[-1000:]  # the end record of the new form
    assert ZipFile(io.BytesIO(content)).testzip() is None
    assert len(found.infolist()) == 9


def test_memory_does_not_grow_with_the_pictures(images: ImageStore) -> None:
    rows = [
        row(images, f"picture-{n}", bytes(400_000), created_at=MOMENT + timedelta(seconds=n))
        for n in range(100)
    ]
    writing = PictureZip(images, {})
    tracemalloc.start()
    try:
        sent = sum(len(piece) for piece in writing.add(rows))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        writing.close()
    assert sent > 30_000_000
    assert peak_bytes < 4_000_000


@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_abandoned_one_leaves_nothing_open(images: ImageStore, pieces: int) -> None:
    writing = PictureZip(images, {})
    parts = writing.add([row(images, f"picture-{n}", bytes(2_000_000)) for n in range(3)])
    for _ in range(pieces):
        assert next(parts)
    parts.close()
    writing.close()


def png() -> bytes:
    from PIL import Image as Pillow

    out = io.BytesIO()
    Pillow.new("RGB", (8, 8)).save(out, "PNG")
    return out.getvalue()
