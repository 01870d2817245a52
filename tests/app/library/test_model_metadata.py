"""Tests of `app/library/model_metadata.py`: what clients are told, from memory."""

import asyncio
import functools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from app.clients.forge_lists import ForgeLists
from app.events import EventBus, ModelsRefreshed
from app.library.file_hashes import FileHashes
from app.library.file_metadata import MetadataStore
from app.library.metadata_lookup import MetadataLookup
from app.library.model_folder import ModelFolder
from app.library.model_keys import ModelKeys
from app.library.model_metadata import ModelMetadata
from tests.app.clients.asking_civitai import client
from tests.fakes.civitai import FakeCivitai
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")

HASH = "aaaabbbbcccc"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
KNOWN = {"name": "ink", "alias": "ink", "metadata": {"sshs_model_hash": HASH + "1111"}}
STRANGE = {"name": "new", "alias": "new_alias", "path": "/forge/models/Lora/new.safetensors"}
OVERRIDE = {"name": "Mine", "description": "", "nsfw": True, "baseModel": "SD 1.5"}


class Desk:
    """What is told of the LoRAs `lists` has."""

    def __init__(self, root: Path, connections: aiohttp.ClientSession, civitai: FakeCivitai):
        self.lists = ForgeLists(loras=[KNOWN, STRANGE])
        self.events = EventBus()
        folder = ModelFolder(root)
        self.is_idle = True
        self.store = MetadataStore()
        self.metadata = ModelMetadata(
            lambda: self.lists,
            self.store,
            ModelKeys(folder, FileHashes(folder), is_idle=lambda: self.is_idle),
            events=self.events,
            make_lookup=functools.partial(MetadataLookup, client(connections, civitai.url)),
            look_s=0.01,
        )

    def told(self) -> list[dict[str, Any]]:
        """What clients read."""
        found: list[dict[str, Any]] = orjson.loads(self.metadata.encoded_loras())
        return found


@pytest.fixture
async def desk(tmp_path: Path, connections: aiohttp.ClientSession) -> AsyncIterator[Desk]:
    """One whose CivitAI knows the first LoRA."""
    (tmp_path / "Lora").mkdir()
    async with FakeCivitai().serving() as civitai:
        yield Desk(tmp_path, connections, civitai)


async def test_lora_is_listed_before_anything_is_known_of_it(desk: Desk) -> None:
    first, second = desk.told()
    assert first["metadata"] == second["metadata"] == "pending"
    assert (first["hash"], second["hash"]) == (HASH, "new_alias")
    assert first["localOverride"] == {
        "name": "ink",
        "description": "",
        "nsfw": False,
        "baseModel": "",
        "trainedWords": [],
        "images": [],
    }


async def test_what_civitai_says_is_listed_and_told_about(desk: Desk) -> None:
    async with desk.events.subscribed() as heard, desk.metadata.working():
        assert isinstance(await heard.get(), ModelsRefreshed)
        await until(lambda: desk.told()[1].get("metadata") == "unknown")
    first, second = desk.told()
    assert (first["provider"], first["name"], first["nsfw"]) == (1, "v2.0", False)
    assert len(first["civitai"]["images"]) == 1
    assert first["preview"] == f"/api/models/previews/{HASH}"
    assert "metadata" not in first
    assert (second["provider"], second["name"]) == (0, "new")


async def test_owner_has_the_last_word_by_hash_and_by_alias(desk: Desk) -> None:
    async with desk.events.subscribed() as heard:
        await desk.metadata.set_override(HASH, OVERRIDE)
        await desk.metadata.set_override("new_alias", OVERRIDE)
        assert heard.qsize() == 2
    first, second = desk.told()
    assert first["localOverride"] == second["localOverride"] == OVERRIDE
    assert (first["name"], first["nsfw"], first["provider"]) == ("ink", True, 0)
    assert desk.metadata.has_override(HASH)
    await desk.metadata.set_override(HASH, None)
    assert not desk.metadata.has_override(HASH)
    assert desk.told()[0]["metadata"] == "pending"


async def test_override_by_alias_holds_when_the_hash_becomes_known(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "Lora" / "new.safetensors").write_bytes(b"new")
    await desk.metadata.set_override("new_alias", OVERRIDE)
    async with desk.metadata.working():
        await until(lambda: len(desk.told()[1]["hash"]) == 64)
    assert desk.told()[1]["localOverride"] == OVERRIDE
    found = desk.told()[1]["hash"]
    assert desk.metadata.has_override(found)
    await desk.metadata.set_override(found, None)
    assert not desk.metadata.has_override(found)
    assert desk.told()[1]["localOverride"]["name"] == "new"


async def test_version_may_be_named_for_a_file_whose_hash_is_not_known(desk: Desk) -> None:
    async with desk.metadata.working():
        await until(lambda: desk.told()[1].get("metadata") == "unknown")
        await desk.metadata.set_updates(desk.told()[1]["hash"], version_id=301)
        await until(lambda: desk.told()[1]["provider"] == 1)
    assert desk.told()[1]["civitai"]["id"] == 301


async def test_of_nonsense_only_what_clients_can_read_is_told(desk: Desk) -> None:
    odd: dict[str, Any] = {
        "id": 5,
        "name": None,
        "images": {"url": "x"},
        "trainedWords": 7,
        "model": "Ink",
    }
    await desk.store.keep_version(HASH, odd, NOON)
    told = desk.told()[0]
    assert (told["name"], told["nsfw"], told["provider"]) == ("", False, 1)
    assert told["civitai"] == {
        "id": 5, "name": None, "images": [], "trainedWords": [], "model": {},
    }  # fmt: skip
    assert "preview" not in told
    odd |= {"images": [3, {"url": "x"}], "trainedWords": [5, "ink"]}
    await desk.store.keep_version(HASH, odd, NOON)
    told = desk.told()[0]["civitai"]
    assert (told["images"], told["trainedWords"]) == ([{"url": "x"}], ["5", "ink"])


async def test_new_lists_are_seen(desk: Desk) -> None:
    async with desk.metadata.working():
        await until(lambda: desk.told()[0]["provider"] == 1)
        desk.lists = ForgeLists(loras=[KNOWN | {"name": "other"}])
        assert [one["forge"]["name"] for one in desk.told()] == ["other"]


async def test_lora_is_looked_up_while_a_checkpoint_waits_for_jobs(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "Stable-diffusion").mkdir()
    (tmp_path / "Stable-diffusion" / "wide.safetensors").write_bytes(b"wide")
    checkpoint = {"filename": "/forge/models/Stable-diffusion/wide.safetensors", "sha256": None}
    desk.lists, desk.is_idle = ForgeLists(checkpoints=[checkpoint]), False
    async with desk.metadata.working():
        await asyncio.sleep(0.1)
        (tmp_path / "Lora" / "new.safetensors").write_bytes(b"new")
        desk.lists = ForgeLists(checkpoints=[checkpoint], loras=[STRANGE])
        await until(lambda: desk.told()[0].get("metadata") == "unknown")
    assert len(desk.told()[0]["hash"]) == 64


async def test_list_is_written_only_when_something_has_changed(desk: Desk) -> None:
    assert desk.metadata.encoded_loras() is desk.metadata.encoded_loras()
    before = desk.metadata.encoded_loras()
    await desk.metadata.set_override(HASH, OVERRIDE)
    assert desk.metadata.encoded_loras() is not before


async def test_checkpoint_is_known_by_its_sha256(desk: Desk) -> None:
    item = {"model_name": "dream", "sha256": "ab" * 32}
    desk.lists = ForgeLists(checkpoints=[item])
    assert desk.metadata.of_checkpoint(item) is None
    async with desk.metadata.working():
        await until(lambda: desk.metadata.of_checkpoint(item) is not None)
    found = desk.metadata.of_checkpoint(item)
    assert found is not None
    assert (found[0], found[1]["id"]) == ("ab" * 32, 101)
    assert desk.metadata.version("ab" * 32) == found[1]
    assert desk.metadata.version("cd" * 32) is None


async def test_another_version_may_be_named_and_updates_stopped(desk: Desk) -> None:
    async with desk.metadata.working():
        await until(lambda: desk.told()[0]["provider"] == 1)
        await desk.metadata.set_updates(HASH, version_id=302)
        await until(lambda: desk.told()[0]["civitai"]["id"] == 302)
        await desk.metadata.set_updates(HASH, updates_disabled=True)
    assert desk.told()[0]["civitai"]["id"] == 302
