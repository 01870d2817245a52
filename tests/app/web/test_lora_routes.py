"""Tests of the routes of LoRAs."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.accounts.roles import Role
from app.simulator.models_dir import FolderCatalogue
from tests.app.web.test_download_routes import safetensors
from tests.fakes.civitai import API_KEY, FakeCivitai
from tests.fakes.serving import Fault
from tests.running import RunningNavigator, running_navigator
from tests.waiting import until

LORAS = "/api/models/loras"
OVERRIDE = {"name": "Mine", "description": "a text", "nsfw": False, "baseModel": "SDXL 1.0"}


@pytest.fixture
async def civitai() -> AsyncIterator[FakeCivitai]:
    """One that knows the hash of one LoRA."""
    async with FakeCivitai().serving() as serving:
        yield serving


@pytest.fixture
async def server(civitai: FakeCivitai, tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator with two LoRAs, one of 3 GB of nothing."""
    root = tmp_path / "forge" / "models"
    (root / "Lora").mkdir(parents=True)
    ink = safetensors(sshs_model_hash="aaaabbbbcccc" + "0" * 52)
    (root / "Lora" / "ink.safetensors").write_bytes(ink)
    with (root / "Lora" / "large.safetensors").open("wb") as file:
        file.truncate(3_000_000_000)
    async with running_navigator(
        tmp_path,
        installed=FolderCatalogue(folder=root),
        CIVITAI_API_BASE=civitai.url,
        CIVITAI_API_KEY=API_KEY,
        MODEL_DIR=str(root),
    ) as running:
        yield running


async def listed(server: RunningNavigator, token: str, query: str = "") -> list[dict[str, Any]]:
    """The LoRAs."""
    answer = await server.get(f"{LORAS}{query}", token=token)
    assert answer.status == 200
    found: list[dict[str, Any]] = answer.json
    return found


async def test_nobody_waits_while_a_large_file_is_read(
    server: RunningNavigator, token: str
) -> None:
    slowest_s = 0.0
    for _ in range(50):
        began_s = time.monotonic()
        assert (await server.get("/api/config/limits")).status == 200
        slowest_s = max(slowest_s, time.monotonic() - began_s)
        _, large = await listed(server, token)
        assert large["metadata"] == "pending"
    assert slowest_s < 10  # it took 15 s there; here the file is still being read
    await until(lambda: _provider(server, token))


async def test_overrides_are_set_shown_and_taken_back(server: RunningNavigator, token: str) -> None:
    administrator = await server.add_user("administrator", Role.ARCHITECT)
    path = f"{LORAS}/override/aaaabbbbcccc"
    async with server.listening() as heard:
        answer = await server.post(path, OVERRIDE, token=administrator)
        assert answer.json["message"].endswith("for lora Mine (aaaabbbbcccc)")
        await until(lambda: "models-refreshed" in [name for name, _ in heard.events])
    ink, _ = await listed(server, token)
    assert (ink["provider"], ink["localOverride"]["description"]) == (0, "a text")
    assert (await server.request("DELETE", path, token=administrator)).status == 200
    assert (await server.request("DELETE", path, token=administrator)).status == 404
    await until(lambda: _provider(server, token))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": 5}, "name"),
        ({"name": ""}, "name"),
        ({"nsfw": "no"}, "nsfw"),
        ({"description": None}, "description"),
        ({"baseModel": "x" * 101}, "baseModel"),
        ({"trainedWords": "a, b"}, "trainedWords"),
        ({"trainedWords": [1]}, "trainedWords.0"),
        ({"images": ["x" * 2001]}, "images.0"),
    ],
)
async def test_override_that_makes_no_sense_is_refused(
    server: RunningNavigator, changes: dict[str, Any], place: str
) -> None:
    administrator = await server.add_user("administrator", Role.ARCHITECT)
    path = f"{LORAS}/override/aaaabbbbcccc"
    bodies: list[object] = [OVERRIDE | changes, {"trainedWords": []}, [], None]
    for body in bodies:
        answer = await server.post(path, body, token=administrator)
        assert answer.status == 400
    answer = await server.post(path, OVERRIDE | changes, token=administrator)
    assert answer.json["error"] == "Invalid override format!"
    assert f" {place}: " in answer.json["message"]


async def test_friends_may_look_but_not_change(server: RunningNavigator) -> None:
    friend = await server.add_user("friend", Role.ARTIFICER)
    bodies: dict[str, object] = {"override": OVERRIDE, "updates": {"updates_disabled": True}}
    for path, body in bodies.items():
        answer = await server.post(f"{LORAS}/{path}/aaaabbbbcccc", body, token=friend)
        assert answer.status == 403


async def test_everything_is_looked_up_anew_for_who_may(
    server: RunningNavigator, civitai: FakeCivitai, token: str
) -> None:
    await until(lambda: _provider(server, token))
    friend = await server.add_user("friend", Role.ARTIFICER)
    asked = len(civitai.requests)
    await asyncio.gather(*(listed(server, friend, "?force_update_metadata=true") for _ in range(5)))
    new = [one.path for one in civitai.requests[asked:]]
    assert new.count("model-versions/101") <= 1
    apprentice = await server.add_user("apprentice", Role.APPRENTICE)
    answer = await server.get(f"{LORAS}?force_update_metadata=true", token=apprentice)
    assert answer.status == 403


async def test_updates_are_stopped_and_another_version_named(
    server: RunningNavigator, token: str
) -> None:
    administrator = await server.add_user("administrator", Role.ARCHITECT)
    path = f"{LORAS}/updates/aaaabbbbcccc"
    assert (await server.post(path, {}, token=administrator)).status == 400
    body = {"metadata_id": 302, "updates_disabled": False}
    assert (await server.post(path, body, token=administrator)).status == 200

    async def is_other() -> bool:
        return bool((await listed(server, token))[0].get("civitai", {}).get("id") == 302)

    await until(is_other)


async def test_civitai_that_is_away_takes_nothing_off_the_list(
    server: RunningNavigator, civitai: FakeCivitai, token: str
) -> None:
    civitai.faults["*"] = [Fault(500)]
    assert len(await listed(server, token)) == 2


async def _provider(server: RunningNavigator, token: str) -> bool:
    return bool((await listed(server, token))[0]["provider"])
