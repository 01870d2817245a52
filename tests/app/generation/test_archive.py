"""Tests of `app/generation/archive.py`: each picture once, page after page, and an end always."""

import asyncio
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from app.accounts.models import User
from app.errors import TooMany
from app.generation.archive import Archive, Archives
from app.generation.images import ImageStore
from app.generation.models import Image
from tests.building import OWNER, STRANGER, make_user

CONTENT = b"as good as a picture"
MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    store = ImageStore(tmp_path / "images")
    store.prepare()
    return store


async def add(
    images: ImageStore, ids: list[str], content: bytes = CONTENT, owner_id: str = OWNER
) -> None:
    """Pictures of one moment."""
    rows = []
    for image_id in ids:
        path = images.path(f"{owner_id[-2:]}/{image_id}.png")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        rows.append(
            Image(
                id=image_id,
                owner_id=owner_id,
                file_name=f"{owner_id[-2:]}/{image_id}.png",
                media_type="image/png",
                size_bytes=len(content),
                sha256="0" * 64,
                width=64,
                height=64,
                infotext=f"a \U0001f98a, {image_id}",
                parameters={"Seed": image_id},
            )
        )
    await Image.bulk_create(rows)
    await Image.filter(id__in=ids).update(created_at=MOMENT)


async def content_of(archive: Archive) -> ZipFile:
    found = ZipFile(io.BytesIO(b"".join([chunk async for chunk in archive.chunks()])))
    assert found.testzip() is None
    return found


def listed(found: ZipFile) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(found.read("pictures.json"))
    return told


@pytest.mark.usefixtures("owner")
async def test_every_picture_of_one_moment_is_there_once(images: ImageStore) -> None:
    ids = [f"picture-{n:03}" for n in range(450)] + ["picture_", "a-picture", "-picture"]
    await add(images, ids)
    found = await content_of(Archives(images).begin(OWNER))
    told = listed(found)
    assert [entry["id"] for entry in told] == sorted(ids)
    assert {entry["created_at"] for entry in told} == {"2026-03-04T05:06:07Z"}
    assert found.read("2026-03-04_picture-449.png") == CONTENT
    assert found.read("2026-03-04_picture-449.txt").decode() == "a \U0001f98a, picture-449"
    assert len(found.namelist()) == 2 * len(ids) + 1


@pytest.mark.usefixtures("owner")
async def test_oldest_come_first_whatever_their_fraction_of_a_second(images: ImageStore) -> None:
    ids = [f"picture-{n:03}" for n in range(410)]
    await add(images, ids)
    for image_id, later_s in (("picture-000", 0.5), ("picture-007", 1), ("picture-300", -0.25)):
        await Image.filter(id=image_id).update(created_at=MOMENT + timedelta(seconds=later_s))
    told = [entry["id"] for entry in listed(await content_of(Archives(images).begin(OWNER)))]
    assert (told[0], told[-2:]) == ("picture-300", ["picture-000", "picture-007"])
    assert sorted(told) == ids


@pytest.mark.usefixtures("owner")
async def test_only_one_s_own_pictures_are_there(images: ImageStore) -> None:
    await make_user(STRANGER)
    await add(images, ["picture-1"])
    await add(images, ["picture-2"], owner_id=STRANGER)
    assert [entry["id"] for entry in listed(await content_of(Archives(images).begin(OWNER)))] == [
        "picture-1"
    ]
    assert listed(await content_of(Archives(images).begin("nobody"))) == []


@pytest.mark.usefixtures("owner")
async def test_pictures_made_meanwhile_are_not_there(images: ImageStore) -> None:
    await add(images, ["picture-1"])
    archive = Archives(images).begin(OWNER)
    await add(images, ["picture-2"])
    await Image.filter(id="picture-2").update(created_at=datetime.now(UTC) + timedelta(seconds=1))
    assert [entry["id"] for entry in listed(await content_of(archive))] == ["picture-1"]


@pytest.mark.usefixtures("owner")
async def test_picture_deleted_meanwhile_is_left_out_and_told(images: ImageStore) -> None:
    ids = [f"picture-{n:03}" for n in range(300)]
    await add(images, ids, bytes(10_000))
    chunks = Archives(images).begin(OWNER).chunks()
    content = await anext(chunks)
    for image_id in ("picture-190", "picture-290"):
        await Image.filter(id=image_id).delete()
        images.path(f"{OWNER[-2:]}/{image_id}.png").unlink()
    content += b"".join([chunk async for chunk in chunks])
    told = {entry["id"]: entry for entry in listed(ZipFile(io.BytesIO(content)))}
    # Of the first page the rows were read before, the second one does not know it any more.
    assert told["picture-190"]["file"] is None
    assert "deleted" in told["picture-190"]["problem"]
    assert sorted(told) == [image_id for image_id in ids if image_id != "picture-290"]


async def test_there_is_one_at_a_time_for_each_user(owner: User, images: ImageStore) -> None:
    archives = Archives(images)
    first = archives.begin(owner.id)
    with pytest.raises(TooMany) as refused:
        archives.begin(owner.id)
    assert refused.value.code == "ARCHIVE_UNDER_WAY"
    archives.begin(STRANGER)
    await content_of(first)
    second = archives.begin(owner.id)
    first.end()
    with pytest.raises(TooMany):
        archives.begin(owner.id)
    second.end()
    archives.begin(owner.id)


@pytest.mark.usefixtures("owner")
async def test_one_that_is_closed_half_way_is_over(images: ImageStore) -> None:
    await add(images, [f"picture-{n}" for n in range(5)], bytes(2_000_000))
    archives = Archives(images)
    for _ in range(2):
        chunks = archives.begin(OWNER).chunks()
        await anext(chunks)
        await anext(chunks)
        await chunks.aclose()


@pytest.mark.usefixtures("owner")
async def test_one_that_is_cancelled_is_over(images: ImageStore) -> None:
    await add(images, [f"picture-{n}" for n in range(5)], bytes(2_000_000))
    archives = Archives(images)

    async def read_slowly(archive: Archive, read: asyncio.Event) -> None:
        async for _ in archive.chunks():
            read.set()

    for _ in range(10):
        read = asyncio.Event()
        reading = asyncio.create_task(read_slowly(archives.begin(OWNER), read))
        await read.wait()
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled()


@pytest.mark.usefixtures("owner")
async def test_nothing_is_read_before_it_is_asked_for(images: ImageStore) -> None:
    await add(images, [f"picture-{n}" for n in range(40)], bytes(600_000))
    chunks = Archives(images).begin(OWNER).chunks()
    await anext(chunks)
    images.path(f"{OWNER[-2:]}/picture-39.png").unlink()
    content = b"".join([chunk async for chunk in chunks])
    assert len(content) < 40 * 600_000
