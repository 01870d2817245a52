"""Tests of `app/web/image_files.py`: the bytes of pictures, whole and in parts."""

import hashlib
from pathlib import Path

import pytest

from app.generation.models import Image
from app.jobs.models import JobStatus
from app.simulator import SimulatorOptions
from tests.contract import compare, exchange
from tests.databases import free_port
from tests.running import Answer, RunningNavigator, running_navigator


@pytest.fixture
async def path(server: RunningNavigator, token: str) -> str:
    """The address of a finished picture."""
    return f"/api/images/{await server.picture(token)}"


async def content_of(server: RunningNavigator, path: str) -> bytes:
    """The bytes of the picture's file."""
    image = await Image.get(id=path.rpartition("/")[2])
    return (server.settings.data_dir / "images" / image.file_name).read_bytes()


async def test_picture_is_its_file_byte_for_byte(server: RunningNavigator, path: str) -> None:
    content = await content_of(server, path)
    for spelling in (path, f"{path}.png", f"{path}?x=1", f"{path}.png/"):
        answer = await server.get(spelling)
        assert (answer.status, answer.content) == (200, content)
        assert answer.headers["Content-Length"] == str(len(content))
    for number, suffix in ((141, ""), (142, ".png")):
        recorded = exchange(number)
        answer = await server.replay(recorded, path=path + suffix)
        assert (answer.status, "<PNG") == (recorded.status, recorded.answer[:4])
        assert answer.headers["Content-Type"] == "image/png"


async def test_etag_is_the_sha256_of_the_bytes(server: RunningNavigator, path: str) -> None:
    answer = await server.get(path)
    digest = hashlib.sha256(answer.content).hexdigest()
    assert answer.headers["ETag"] == f'"{digest}"'
    assert (await Image.get(id=path.rpartition("/")[2])).sha256 == digest


async def test_head_tells_what_get_would_send(server: RunningNavigator, path: str) -> None:
    for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=-0"}, {"If-None-Match": "*"}):
        got = await server.get(path, headers=headers)
        head = await server.request("HEAD", path, headers=headers)
        assert (head.status, head.content) == (got.status, b"")
        ignored = {"Date"}
        assert {k: v for k, v in head.headers.items() if k not in ignored} == {
            k: v for k, v in got.headers.items() if k not in ignored
        }


@pytest.mark.parametrize(
    ("header", "first", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-9", 0, 10),
        ("bytes=10-19", 10, 20),
        ("bytes=100-", 100, None),
        ("bytes=100-999999999999999", 100, None),
        ("bytes=-7", -7, None),
        ("bytes=000-009", 0, 10),
        (" bytes=0-9 ", 0, 10),
    ],
)
async def test_range_gives_that_part(
    server: RunningNavigator, path: str, header: str, first: int, stop: int | None
) -> None:
    whole = (await server.get(path)).content
    answer = await server.get(path, headers={"Range": header})
    assert answer.status == 206
    assert answer.content == whole[first:stop]
    span = range(len(whole))[first:stop]
    assert answer.headers["Content-Range"] == f"bytes {span[0]}-{span[-1]}/{len(whole)}"
    assert answer.headers["Content-Length"] == str(len(answer.content))


@pytest.mark.parametrize(
    "header",
    [
        "bytes=0-",
        "bytes=-999999",
        "bytes=9-3",
        "bytes=0-1,4-5",
        "bytes=0-1, -1",
        "bytes=-",
        "bytes=",
        "bytes=a-b",
        "bytes=1.5-2",
        "bytes=-1-2",
        "lines=0-9",
        "0-9",
        "",
        "bytes=0-" + "9" * 5000,
        "bytes=" + "9" * 5000 + "-",
        "bytes=-" + "9" * 5000,
    ],
)
async def test_other_ranges_give_everything(
    server: RunningNavigator, path: str, header: str
) -> None:
    answer = await server.get(path, headers={"Range": header})
    assert answer.status == 200
    assert answer.content == await content_of(server, path)
    assert "Content-Range" not in answer.headers


@pytest.mark.parametrize("header", ["bytes=1000000-", "bytes=1000000-1000001", "bytes=-0"])
async def test_range_without_a_byte_of_the_picture_is_416(
    server: RunningNavigator, path: str, header: str
) -> None:
    answer = await server.get(path, headers={"Range": header})
    assert (answer.status, answer.content) == (416, b"")
    size_bytes = len(await content_of(server, path))
    assert answer.headers["Content-Range"] == f"bytes */{size_bytes}"


async def test_parts_make_the_whole(server: RunningNavigator, path: str) -> None:
    whole = await content_of(server, path)
    parts = [
        (await server.get(path, headers={"Range": f"bytes={first}-{first + 99}"})).content
        for first in range(0, len(whole), 100)
    ]
    assert b"".join(parts) == whole


async def test_known_picture_is_not_sent_again(server: RunningNavigator, path: str) -> None:
    etag = (await server.get(path)).headers["ETag"]
    for known in (etag, f"W/{etag}", "*", f'"other", {etag}', f'"other",W/{etag}'):
        answer = await server.get(path, headers={"If-None-Match": known, "Range": "bytes=0-1"})
        assert (answer.status, answer.content) == (304, b"")
        assert answer.headers["ETag"] == etag
    for unknown in ('"other"', etag.strip('"'), "", "W/"):
        assert (await server.get(path, headers={"If-None-Match": unknown})).status == 200


async def test_range_of_another_version_gives_everything(
    server: RunningNavigator, path: str
) -> None:
    etag = (await server.get(path)).headers["ETag"]
    wanted = {"Range": "bytes=0-9"}
    assert (await server.get(path, headers={**wanted, "If-Range": etag})).status == 206
    for other in ('"other"', f"W/{etag}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert (await server.get(path, headers={**wanted, "If-Range": other})).status == 200


@pytest.mark.parametrize(
    "image_id",
    ["unknown0", "", ".png", "%00", "x" * 64, "x" * 65, "x" * 5000, "%F0%9F%A6%8A", "%FF",
     "..%5C..%5Cnavigator.sqlite3", "..", "'%20OR%201=1--", "%25"],
)  # fmt: skip
async def test_unknown_picture_is_404_as_recorded(server: RunningNavigator, image_id: str) -> None:
    answer = await server.get(f"/api/images/{image_id}")
    compare(exchange(143), answer.status, answer.json)
    assert answer.json["error_code"] == "IMAGE_NOT_FOUND"
    head = await server.request("HEAD", f"/api/images/{image_id}")
    assert (head.status, head.content) == (exchange(7).status, b"")


async def test_files_beside_the_pictures_cannot_be_reached(
    server: RunningNavigator, path: str
) -> None:
    file_name = (await Image.get(id=path.rpartition("/")[2])).file_name
    for name in (file_name, f"../{file_name}", "../.env", "..%2F.env", "%2E%2E%2F.env"):
        assert (await server.get(f"/api/images/{name}")).status == 404


async def test_unfinished_picture_is_404_as_recorded(slow_server: RunningNavigator) -> None:
    token = await slow_server.login()
    running = (await slow_server.submit(token, steps=150))["job_id"]
    await slow_server.reached(running, JobStatus.RUNNING)
    waiting = (await slow_server.submit(token))["job_id"]
    for job_id in (running, waiting):
        answer = await slow_server.get(f"/api/images/{job_id}")
        compare(exchange(151), answer.status, answer.json)


async def test_picture_whose_file_is_gone_is_404(server: RunningNavigator, path: str) -> None:
    image = await Image.get(id=path.rpartition("/")[2])
    (server.settings.data_dir / "images" / image.file_name).unlink()
    answer = await server.get(path)
    assert (answer.status, answer.json["error_code"]) == (404, "IMAGE_NOT_FOUND")


async def test_large_picture_survives_a_slow_reader(tmp_path: Path) -> None:
    options = SimulatorOptions(0, 0, draw=False, png_padding_bytes=3_000_000)
    async with running_navigator(tmp_path, forge=options) as server:
        path = f"/api/images/{await server.picture(await server.login())}"
        content = await content_of(server, path)
        assert len(content) > 3_000_000
        async with server.http.get(server.url + path) as response:
            parts = [part async for part in response.content.iter_chunked(100_000)]
        assert b"".join(parts) == content
        tail = await server.get(path, headers={"Range": "bytes=2999990-"})
        assert tail.content == content[2999990:]


async def test_pictures_stay_without_forge(tmp_path: Path) -> None:
    async with running_navigator(tmp_path) as server:
        path = f"/api/images/{await server.picture(await server.login())}"
        before: Answer = await server.get(path)
    gone = f"http://127.0.0.1:{free_port()}"
    async with running_navigator(tmp_path, forge=gone) as server:
        assert (await server.get(path)).content == before.content
