"""Downloads survive whatever kills Navigator: one copy on the disk, whole, and no part left."""

import asyncio
import os
import random
from pathlib import Path

import aiohttp
import pytest

from tests.fakes.civitai import API_KEY, FakeCivitai
from tests.fakes.file_host import Stalled
from tests.processes import SUPERUSER_TOKEN, serve
from tests.waiting import until

pytestmark = pytest.mark.slow

CONTENT = bytes(range(256)) * 60_000  # 15 MB
STEP_BYTES = 4_000_000
PATH = "api/download/models/101"
HEADERS = {"Authorization": SUPERUSER_TOKEN}
SEVERAL = (101, 102, 201, 202)
KILLS = 8
LATEST_S = 0.3


async def test_download_goes_on_after_each_kill(tmp_path: Path) -> None:
    root = tmp_path / "forge" / "models"
    root.mkdir(parents=True)
    async with FakeCivitai().serving() as civitai, aiohttp.ClientSession(headers=HEADERS) as http:
        civitai.offer(101, CONTENT, name="ink.safetensors")
        settings = {
            "CIVITAI_API_BASE": civitai.url,
            "CIVITAI_API_KEY": API_KEY,
            "MODEL_DIR": str(root),
        }
        for kill in range(3):
            civitai.host.tricks[PATH] = [Stalled(STEP_BYTES)]
            before_bytes = _collected(root)
            with serve(tmp_path / "data", **settings) as server:
                url = await server.listening()
                if kill == 0:
                    job = await _post(http, url)
                    assert await _post(http, url) == job
                await _grown(root, before_bytes)
                server.kill()
            assert not (root / "Lora" / "ink.safetensors").exists()
        with serve(tmp_path / "data", **settings) as server:
            url = await server.listening()
            await until(lambda: _has_ended(http, url), 20)
            async with http.get(f"{url}/3papi/civitai/download/101") as answer:
                assert (await answer.json())["message"] == "Model already downloaded"
            ended, _ = await server.stop()
            assert ended.code == 0, ended.errors
    assert [path.name for path in (root / "Lora").iterdir()] == ["ink.safetensors"]
    assert (root / "Lora" / "ink.safetensors").read_bytes() == CONTENT
    starts = [one.start for one in civitai.host.fetched]
    assert starts == sorted(starts)
    assert starts[-1] > STEP_BYTES


async def test_whenever_it_dies_every_file_comes_once_and_whole(tmp_path: Path) -> None:
    seed = int(os.environ.get("NAVIGATOR_KILL_SEED", random.randrange(10**9)))
    print(f"NAVIGATOR_KILL_SEED={seed}")
    chance = random.Random(seed)
    root = tmp_path / "forge" / "models"
    root.mkdir(parents=True)
    async with FakeCivitai().serving() as civitai, aiohttp.ClientSession(headers=HEADERS) as http:
        wanted = {f"model_{number}.safetensors": CONTENT[number:] for number in SEVERAL}
        for number in SEVERAL:
            civitai.offer(number, CONTENT[number:])
        settings = {
            "CIVITAI_API_BASE": civitai.url,
            "CIVITAI_API_KEY": API_KEY,
            "MODEL_DIR": str(root),
        }
        for kill in range(KILLS):
            with serve(tmp_path / "data", **settings) as server:
                url = await server.listening()
                if kill < len(SEVERAL):
                    await _post(http, url, SEVERAL[kill])
                await asyncio.sleep(chance.uniform(0, LATEST_S))
                server.kill()
            for path in root.glob("Lora/*.safetensors"):
                assert path.read_bytes() == wanted[path.name]
        with serve(tmp_path / "data", **settings) as server:
            url = await server.listening()
            await until(lambda: _have_ended(http, url, len(SEVERAL)))
    assert {path.name: path.read_bytes() for path in (root / "Lora").iterdir()} == wanted


async def _post(http: aiohttp.ClientSession, url: str, version_id: int = 101) -> str:
    wish = {"model_version_id": version_id}
    async with http.post(f"{url}/api/downloads", json=wish) as answer:
        told = await answer.json()
        assert answer.status in {200, 202}, told
        return str(told["job_id"])


async def _has_ended(http: aiohttp.ClientSession, url: str) -> bool:
    async with http.get(f"{url}/api/downloads") as answer:
        (told,) = (await answer.json())["downloads"]
        return bool(told["status"] == "succeeded")


async def _have_ended(http: aiohttp.ClientSession, url: str, count: int) -> bool:
    async with http.get(f"{url}/api/downloads") as answer:
        told = (await answer.json())["downloads"]
    return [one["status"] for one in told] == ["succeeded"] * count


async def _grown(root: Path, before_bytes: int) -> None:
    await until(lambda: _collected(root) > before_bytes + STEP_BYTES // 2, 20)


def _collected(root: Path) -> int:
    return sum(path.stat().st_size for path in root.glob("Lora/*.part"))
