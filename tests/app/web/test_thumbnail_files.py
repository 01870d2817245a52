"""Tests of `app/web/thumbnail_files.py`: small copies of pictures over real sockets."""

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image as Pillow

from app.generation.models import Image
from app.setting_types import DatabaseLocation
from tests.running import RunningNavigator, running_navigator


@pytest.fixture
async def image_id(server: RunningNavigator, token: str) -> str:
    """A picture of 320 by 640 pixels."""
    return await server.picture(token, width=320, height=640)


@pytest.fixture
def path(image_id: str) -> str:
    return f"/api/images/{image_id}/thumbnail"


def size_of(content: bytes) -> tuple[int, int]:
    with Pillow.open(io.BytesIO(content)) as picture:
        assert picture.format == "WEBP"
        return picture.size


async def file_of(server: RunningNavigator, image_id: str) -> Path:
    image = await Image.get(id=image_id)
    return server.settings.data_dir / "images" / image.file_name


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (128, 256)),
        ("?other=1", (128, 256)),
        ("?size=256", (128, 256)),
        ("?size=1", (64, 128)),
        ("?size=0128", (64, 128)),
        ("?size=%32%356", (128, 256)),
        ("?size=257", (256, 512)),
        ("?size=513", (320, 640)),
        ("?size=1024", (320, 640)),
    ],
)
async def test_size_is_snapped_up_and_never_larger_than_the_picture(
    server: RunningNavigator, path: str, query: str, expected: tuple[int, int]
) -> None:
    answer = await server.get(path + query)
    assert answer.status == 200
    assert size_of(answer.content) == expected
    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["Cache-Control"] == "private, max-age=86400"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "query",
    [
        "size=", "size", "size=0", "size=-1", "size=%2B256", "size=1025", "size=99999999999999",
        "size=" + "9" * 5000, "size=NaN", "size=Infinity", "size=1e2", "size=256.0", "size=256px",
        "size=0x100", "size=large", "size=%D9%A3", "size=%FF", "size=%20256", "size=128&size=256",
        "size=1_0", "size=true", "size[]=256&size=x",
    ],
)  # fmt: skip
async def test_nonsense_for_a_size_is_400_that_names_it(
    server: RunningNavigator, path: str, query: str
) -> None:
    answer = await server.get(f"{path}?{query}")
    assert answer.status == 400
    assert answer.json["error_code"] == "INVALID_INPUT"
    assert answer.json["error"].startswith("size: ")


async def test_spellings_of_pictures_are_those_of_thumbnails(
    server: RunningNavigator, path: str, image_id: str
) -> None:
    expected = (await server.get(path)).content
    for spelling in (
        f"/api/images/{image_id}.png/thumbnail",
        f"/API/Images/{image_id}/Thumbnail/",
        f"{path}?x=1",
    ):
        assert (await server.get(spelling)).content == expected


async def test_known_thumbnail_is_not_sent_again(server: RunningNavigator, path: str) -> None:
    answer = await server.get(path)
    etag = answer.headers["ETag"]
    for known in (etag, f"W/{etag}", "*", f'"x", {etag}'):
        again = await server.get(path, headers={"If-None-Match": known})
        assert (again.status, again.content) == (304, b"")
        assert again.headers["ETag"] == etag
    other = await server.get(f"{path}?size=128", headers={"If-None-Match": etag})
    assert other.status == 200
    assert other.headers["ETag"] != etag
    assert (await server.get(f"{path}?size=200")).headers["ETag"] == etag


async def test_etag_is_not_that_of_the_picture(
    server: RunningNavigator, path: str, image_id: str
) -> None:
    sha256 = (await Image.get(id=image_id)).sha256
    etag = (await server.get(path)).headers["ETag"]
    assert sha256 in etag
    assert etag != f'"{sha256}"'


async def test_head_tells_what_get_would_send(server: RunningNavigator, path: str) -> None:
    for headers in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": "*"}):
        head = await server.request("HEAD", path, headers=headers)
        got = await server.get(path, headers=headers)
        assert (head.status, head.content) == (got.status, b"")
        assert head.headers.get("Content-Length") == got.headers.get("Content-Length")
    assert (await server.request("HEAD", f"{path}?size=x")).status == 400


async def test_part_is_given(server: RunningNavigator, path: str) -> None:
    whole = (await server.get(path)).content
    answer = await server.get(path, headers={"Range": "bytes=4-9"})
    assert (answer.status, answer.content) == (206, whole[4:10])
    assert answer.headers["Content-Range"] == f"bytes 4-9/{len(whole)}"


@pytest.mark.parametrize(
    "image_id", ["unknown0", "", ".png", "%00", "x" * 65, "%FF", "..", "..%5C.env", "%25"]
)
async def test_unknown_picture_is_404(server: RunningNavigator, image_id: str) -> None:
    answer = await server.get(f"/api/images/{image_id}/thumbnail")
    assert answer.status == 404
    assert answer.json["error_code"] == "IMAGE_NOT_FOUND"


async def test_neighbouring_paths_are_somebody_else_s(
    server: RunningNavigator, token: str, image_id: str
) -> None:
    named = await server.picture(token, job_id="thumbnail")
    assert (await server.get(f"/api/images/{named}")).content.startswith(b"\x89PNG")
    assert (await server.get(f"/api/images/{image_id}/info")).status == 200
    for rest in ("thumbnails", "thumbnail/x", "x/thumbnail", "thumbnail.png"):
        answer = await server.get(f"/api/images/{image_id}/{rest}")
        assert (answer.status, answer.json["error_code"]) == (404, "UNKNOWN_ROUTE")
    assert (await server.post(f"/api/images/{image_id}/thumbnail")).status == 404


async def test_picture_whose_file_is_gone_is_404(
    server: RunningNavigator, path: str, image_id: str
) -> None:
    await server.get(path)
    (await file_of(server, image_id)).unlink()
    for query in ("", "?size=128"):
        answer = await server.get(path + query)
        assert (answer.status, answer.json["error_code"]) == (404, "IMAGE_NOT_FOUND")


async def test_kept_thumbnail_goes_with_its_row(
    server: RunningNavigator, path: str, image_id: str
) -> None:
    etag = (await server.get(path)).headers["ETag"]
    await Image.filter(id=image_id).delete()
    for headers in ({}, {"If-None-Match": etag}):
        assert (await server.get(path, headers=headers)).status == 404


async def test_damaged_picture_is_422(server: RunningNavigator, path: str, image_id: str) -> None:
    file = await file_of(server, image_id)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    for method in ("GET", "HEAD", "GET"):
        answer = await server.request(method, path)
        assert answer.status == 422
    assert answer.json["error_code"] == "UNREADABLE_PICTURE"
    file.write_bytes(content)
    assert (await server.get(path)).status == 200


async def test_page_of_a_gallery_is_served_whole(server: RunningNavigator, token: str) -> None:
    pictures = [await server.picture(token, seed=seed) for seed in range(8)]
    paths = [f"/api/images/{image_id}/thumbnail" for image_id in pictures] * 6
    answers = await asyncio.gather(*(server.get(path) for path in paths))
    assert {answer.status for answer in answers} == {200}
    folder = server.settings.data_dir / "thumbnails"
    assert len(list(folder.glob("*/*"))) == len(list(folder.glob("*/*.webp"))) == 8


async def test_setting_bounds_what_is_kept(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, THUMBNAIL_CACHE_MB="0") as server:
        image_id = await server.picture(await server.login())
        for _ in range(2):
            assert (await server.get(f"/api/images/{image_id}/thumbnail")).status == 200
        assert not (server.settings.data_dir / "thumbnails").exists()


async def test_either_database_knows_the_pictures(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> None:
    async with running_navigator(tmp_path, database=new_database_location) as server:
        image_id = await server.picture(await server.login(), width=320, height=640)
        answer = await server.get(f"/api/images/{image_id}/thumbnail")
        assert size_of(answer.content) == (128, 256)
        assert (await server.get(f"/api/images/{image_id.upper()}/thumbnail")).status == 404
