"""Tests of `app/web/archive_routes.py`: all of one's pictures in one download."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import aiohttp
import psutil
import pytest

from app.generation.models import Image
from app.setting_types import DatabaseLocation
from app.simulator import SimulatorOptions
from tests.running import SUPERUSER_TOKEN, Answer, RunningNavigator, running_navigator
from tests.waiting import until

PATH = "/api/user/images.zip"
# Pictures that do not fit into what lies between a server and a client that does not read.
LARGE = SimulatorOptions(0, 0, draw=False, png_padding_bytes=8_000_000)


def opened(answer: Answer) -> ZipFile:
    assert answer.status == 200, answer.content[:300]
    found = ZipFile(io.BytesIO(answer.content))
    assert found.testzip() is None
    return found


def listed(found: ZipFile) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(found.read("pictures.json"))
    return told


def open_pictures() -> Iterator[str]:
    """The pictures that this process has open."""
    for file in psutil.Process().open_files():
        if "images" in Path(file.path).parts:
            yield file.path


async def test_own_pictures_come_with_their_parameters(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> None:
    async with running_navigator(tmp_path, database=new_database_location) as server:
        token = await server.login()
        ids = [await server.picture(token, seed=seed, prompt=f"fox {seed}") for seed in range(3)]
        other = await server.add_user("other")
        theirs = await server.picture(other)
        found = opened(await server.get(PATH, token=token))
        told = listed(found)
        assert [entry["id"] for entry in told] == ids
        assert [entry["parameters"]["Seed"] for entry in told] == ["0", "1", "2"]
        for entry in told:
            picture = await server.get(f"/api/images/{entry['id']}")
            assert found.read(entry["file"]) == picture.content
            text = found.read(entry["file"].replace(".png", ".txt")).decode()
            assert text == entry["infotext"]
            assert text.startswith("fox ")
        assert [entry["id"] for entry in listed(opened(await server.get(PATH, token=other)))] == [
            theirs
        ]


async def test_listing_names_the_category_of_each_picture(
    server: RunningNavigator, token: str
) -> None:
    category = await server.post("/api/user/category", {"name": "Füchse"}, token=token)
    await server.picture(token, categoryId=category.json["id"])
    await server.picture(token)
    told = listed(opened(await server.get(PATH, token=token)))
    assert [entry["category"] for entry in told] == ["Füchse", None]


async def test_headers_are_those_of_a_download(server: RunningNavigator, token: str) -> None:
    answer = await server.get(PATH, token=token)
    assert answer.headers["Content-Type"] == "application/zip"
    name = answer.headers["Content-Disposition"]
    assert name.startswith('attachment; filename="navigator-pictures-20')
    assert name.endswith('.zip"')
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Length" not in answer.headers
    assert "Content-Disposition" in answer.headers["Access-Control-Expose-Headers"]


async def test_empty_gallery_is_an_empty_listing(server: RunningNavigator, token: str) -> None:
    for headers in ({}, {"Authorization": SUPERUSER_TOKEN}):
        used = None if headers else token
        found = opened(await server.get(PATH, token=used, headers=headers))
        assert found.namelist() == ["pictures.json"]
        assert listed(found) == []


async def test_head_does_no_work(server: RunningNavigator, token: str) -> None:
    answer = await server.request("HEAD", PATH, token=token)
    assert (answer.status, answer.content) == (200, b"")
    assert answer.headers["Content-Type"] == "application/zip"
    assert (await server.request("HEAD", PATH)).status == 401


async def test_one_after_the_other_is_fine(server: RunningNavigator, token: str) -> None:
    await server.picture(token)
    for _ in range(20):
        opened(await server.get(PATH, token=token))


async def test_second_one_at_once_is_429_until_the_first_has_ended(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=LARGE) as server:
        token, other = await server.login(), await server.add_user("other")
        for seed in range(3):
            await server.picture(token, seed=seed)
        headers = {"Authorization": f"Bearer {token}"}
        async with server.http.get(server.url + PATH, headers=headers) as reading:
            refused = await server.get(PATH, token=token)
            assert (refused.status, refused.json["error_code"]) == (429, "ARCHIVE_UNDER_WAY")
            opened(await server.get(PATH, token=other))
            content = await reading.read()
        assert len(listed(ZipFile(io.BytesIO(content)))) == 3
        opened(await server.get(PATH, token=token))


async def test_client_that_leaves_ends_the_work(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=LARGE) as server:
        token = await server.login()
        for seed in range(3):
            await server.picture(token, seed=seed)
        headers = {"Authorization": f"Bearer {token}"}
        for pieces in (0, 1, 5):
            response: aiohttp.ClientResponse | None = None

            async def began() -> bool:
                nonlocal response
                response = await server.http.get(server.url + PATH, headers=headers)
                return response.status == 200

            await until(began)
            assert response is not None
            for _ in range(pieces):
                assert await response.content.read(50_000)
            await until(lambda: [*open_pictures()])
            response.close()
            await until(lambda: not [*open_pictures()])


async def test_client_that_does_not_read_keeps_the_server_waiting(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=LARGE) as server:
        token = await server.login()
        for seed in range(4):
            await server.picture(token, seed=seed)
        images = [
            server.settings.data_dir / "images" / image.file_name
            for image in await Image.all().order_by("created_at")
        ]
        headers = {"Authorization": f"Bearer {token}"}
        async with server.http.get(server.url + PATH, headers=headers) as reading:
            await until(lambda: [*open_pictures()] == [str(images[0])])
            # Nothing has been read ahead: what goes now is left out.
            images[3].unlink()
            content = await reading.read()
        told = listed(ZipFile(io.BytesIO(content)))
        assert [entry["file"] is not None for entry in told] == [True, True, True, False]


async def test_stop_does_not_wait_for_a_download(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=LARGE) as server:
        token = await server.login()
        for seed in range(3):
            await server.picture(token, seed=seed)
        headers = {"Authorization": f"Bearer {token}"}
        async with server.http.get(server.url + PATH, headers=headers) as reading:
            await reading.content.read(1000)
            assert await server.stop() < 4
            with pytest.raises(aiohttp.ClientPayloadError):
                await reading.read()
    assert [*open_pictures()] == []


async def test_database_that_goes_away_breaks_the_download_off(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=LARGE) as server:
        token = await server.login()
        await server.picture(token)
        headers = {"Authorization": f"Bearer {token}"}
        async with server.http.get(server.url + PATH, headers=headers) as reading:
            await until(lambda: [*open_pictures()])
            await Image.raw("DROP TABLE generated_image")
            with pytest.raises(aiohttp.ClientPayloadError):
                await reading.read()
