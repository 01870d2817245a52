"""Tests of the pictures of models, which come from CivitAI once and from us then."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from app.simulator.catalogue import Checkpoint
from app.simulator.loader import Catalogue
from app.web.model_previews import told_of_version
from tests.app.library.test_preview_images import picture
from tests.fakes.civitai import API_KEY, FakeCivitai
from tests.running import RunningNavigator, running_navigator
from tests.waiting import until

HASH = "ab" * 32
PREVIEW = f"/api/models/previews/{HASH}"


@pytest.fixture
async def civitai() -> AsyncIterator[FakeCivitai]:
    """One that knows a checkpoint and has a picture of it."""
    async with FakeCivitai().serving() as serving:
        for made in serving.models.values():
            for version in made["modelVersions"]:
                origin = serving.url.removesuffix("/api/v1")
                url = f"{origin}/api/download/red.png"
                version["images"] = [{"url": url, "type": "image", "nsfwLevel": 1}]
        serving.host.files["api/download/red.png"] = picture("red")
        yield serving


@pytest.fixture
async def server(civitai: FakeCivitai, tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator whose Forge has loaded that checkpoint before."""
    checkpoint = Checkpoint("dreamModel_v1.safetensors", sha256=HASH, hashed=True)
    async with running_navigator(
        tmp_path,
        installed=Catalogue(checkpoints=[checkpoint]),
        CIVITAI_API_BASE=civitai.url,
        CIVITAI_API_KEY=API_KEY,
    ) as running:
        yield running


async def test_checkpoint_is_listed_with_its_words_and_a_picture_of_ours(
    server: RunningNavigator, civitai: FakeCivitai
) -> None:
    async def is_known() -> bool:
        (one,) = (await server.get("/api/models")).json["models"]
        return "preview" in one

    await until(is_known)
    (told,) = (await server.get("/api/models")).json["models"]
    assert told["preview"] == PREVIEW
    assert told["trained_words"] == ["wordone, wordtwo", "wordthree"]
    assert told["civitai_name"] == "Fake Model 1"
    for _ in range(3):
        answer = await server.get(PREVIEW)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/webp")
        with Image.open(io.BytesIO(answer.content)) as small:
            assert max(small.size) == 450
    assert len(civitai.host.fetched) == 1
    assert civitai.host.fetched[0].path == "api/download/red.png"


@pytest.mark.parametrize("name", ["cd" * 32, "..", "x", "%2e%2e%2fsecret"])
async def test_model_that_is_not_known_has_no_picture(server: RunningNavigator, name: str) -> None:
    assert (await server.get(f"/api/models/previews/{name}")).status == 404


def test_version_that_tells_nothing_tells_nothing() -> None:
    assert told_of_version("x", {"trainedWords": 5, "model": None}) == {
        "civitai_name": "",
        "trained_words": [],
        "preview": None,
    }
