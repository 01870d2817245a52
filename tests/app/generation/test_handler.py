"""Tests of a txt2img job from the queue to its picture, with a simulated Forge. Both databases."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from app.accounts.models import User
from app.events import CheckpointChanged, JobFinished, JobProgressed
from app.generation.images import described
from app.generation.models import Image
from app.generation.previews import BLANK
from app.jobs.models import Job, JobStatus
from app.simulator import Simulator
from tests.building import (
    CHECKPOINT,
    ON_SQLITE_ONLY,
    ORIGIN,
    OTHER_CHECKPOINT,
    OWNER,
    WORKING,
    Workshop,
    make_catalogue,
    workshop,
)
from tests.waiting import until


async def use_page(simulator: Simulator, path: str, **body: Any) -> None:
    """Does what somebody does in Forge's own page."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.url}/sdapi/v1/{path}", json=body) as response,
    ):
        assert response.status == 200


async def load_in_page(simulator: Simulator, checkpoint: str, modules: list[str]) -> None:
    override = {"sd_model_checkpoint": checkpoint, "forge_additional_modules": modules}
    await use_page(
        simulator,
        "txt2img",
        steps=1,
        width=64,
        height=64,
        override_settings=override,
        override_settings_restore_afterwards=False,
    )


def switches(shop: Workshop) -> list[str]:
    return [event.checkpoint for event in shop.events if isinstance(event, CheckpointChanged)]


async def finish(shop: Workshop, **parameters: Any) -> Job:
    job = await shop.ended(await shop.submit(**({"steps": 2} | parameters)))
    assert job.status == JobStatus.SUCCEEDED
    return job


async def test_prompt_becomes_a_stored_picture(shop: Workshop, simulator: Simulator) -> None:
    job = await finish(shop, prompt="a fox 🦊 in the snow", seed=7, distilled_cfg=2)
    image = await Image.get(id=job.id)
    content = shop.images.path(image.file_name).read_bytes()
    assert described(content) == ("image/png", image.width, image.height) == ("image/png", 64, 64)
    assert image.sha256 == hashlib.sha256(content).hexdigest()
    assert (image.owner_id, image.size_bytes) == (OWNER, len(content))
    assert image.infotext.encode() in content
    assert image.parameters["Prompt"] == "a fox 🦊 in the snow"
    assert (image.parameters["Seed"], image.parameters["distilled_cfg"]) == ("7", 2)
    assert len(simulator.requests) == 1
    body = simulator.requests[0].body
    assert isinstance(body, dict)
    assert body["force_task_id"] == f"navigator-{job.id}"


async def test_events_tell_the_story_in_order_and_the_picture_is_there_by_the_last(
    shop: Workshop,
) -> None:
    job = await shop.submit(seed=7)
    await until(lambda: "JobFinished" in shop.names(job.id))
    assert await Image.exists(id=job.id)
    assert shop.names(job.id) == ["JobStarted", "CheckpointChanged", "JobFinished"]
    kinds = [type(event) for event in shop.events]
    assert kinds.index(JobProgressed) > kinds.index(CheckpointChanged)
    assert kinds[-1] is JobFinished
    finished = shop.events[-1]
    assert isinstance(finished, JobFinished)
    assert finished.seed == 7
    assert (finished.job.owner_id, finished.job.origin) == (OWNER, ORIGIN)


async def test_random_seed_is_told_and_stored(shop: Workshop) -> None:
    job = await finish(shop, seed=-1)
    finished = shop.events[-1]
    assert isinstance(finished, JobFinished)
    assert finished.seed is not None
    assert finished.seed >= 0
    assert (await Image.get(id=job.id)).parameters["Seed"] == str(finished.seed)


@ON_SQLITE_ONLY
async def test_progress_is_told_with_steps_and_the_latest_preview_is_kept(shop: Workshop) -> None:
    job = await shop.submit(steps=60)
    await until(lambda: shop.previews.get(job.id) is not None)
    preview = shop.previews.get(job.id)
    assert preview is not None
    assert preview.startswith(b"\x89PNG")
    await shop.ended(job)
    told = [event for event in shop.events if isinstance(event, JobProgressed)]
    sampling = [event for event in told if event.step > 0]
    assert [event.step for event in sampling] == sorted(event.step for event in sampling)
    assert {event.steps for event in sampling} == {60}
    assert all(0 <= event.fraction <= 1 and event.eta_s >= 0 for event in told)


async def test_progress_is_told_without_previews_too(owner: User, tmp_path: Path) -> None:
    """Forge makes a preview every ten steps only, and none when they are switched off."""
    options = replace(WORKING, preview_every_n_steps=-1)
    async with (
        Simulator(options, make_catalogue()).serving() as simulator,
        workshop(tmp_path, simulator.url) as shop,
    ):
        job = await shop.ended(await shop.submit())
        assert any(isinstance(event, JobProgressed) for event in shop.events)
        assert shop.previews.get(job.id) == BLANK


@ON_SQLITE_ONLY
async def test_picture_that_somebody_makes_in_forges_page_is_never_shown_as_ours(
    shop: Workshop, simulator: Simulator
) -> None:
    theirs = asyncio.create_task(use_page(simulator, "txt2img", steps=30, width=64, height=64))
    await until(lambda: simulator.active_task is not None)
    job = await shop.submit(steps=2)
    await until(lambda: len(simulator.requests) == 2)
    await shop.is_sampling(10)
    assert not any(isinstance(event, JobProgressed) for event in shop.events)
    assert shop.previews.get(job.id) is None
    await theirs
    assert (await shop.ended(job)).status == JobStatus.SUCCEEDED
    assert simulator.interrupts == 0


async def test_first_job_tells_of_the_checkpoint_that_forge_has_to_load(shop: Workshop) -> None:
    await finish(shop)
    assert switches(shop) == [CHECKPOINT]


async def test_same_checkpoint_is_not_told_of_again_and_another_is(shop: Workshop) -> None:
    for checkpoint in (CHECKPOINT, CHECKPOINT, OTHER_CHECKPOINT, CHECKPOINT):
        await finish(shop, model_name=checkpoint)
    assert switches(shop) == [CHECKPOINT, OTHER_CHECKPOINT, CHECKPOINT]


async def test_other_modules_are_a_change_and_their_order_too(shop: Workshop) -> None:
    for modules in (
        None,
        ["ae.safetensors"],
        ["ae.safetensors"],
        ["ae.safetensors", "clip_l.safetensors"],
        ["clip_l.safetensors", "ae.safetensors"],
        None,
    ):
        await finish(shop, modules=modules)
    assert len(switches(shop)) == 5


async def test_checkpoint_named_by_its_file_is_the_same_checkpoint(shop: Workshop) -> None:
    await finish(shop)
    await finish(shop, model_name=f"{CHECKPOINT}.safetensors")
    assert switches(shop) == [CHECKPOINT]


@pytest.mark.parametrize("modules", [[], ["ae.safetensors"]])
async def test_first_job_after_a_start_says_nothing_of_what_is_loaded_already(
    owner: User, simulator: Simulator, tmp_path: Path, modules: list[str]
) -> None:
    await load_in_page(simulator, CHECKPOINT, modules)
    async with workshop(tmp_path, simulator.url) as shop:
        await finish(shop, modules=modules)
        assert switches(shop) == []
        assert simulator.loaded_checkpoint == CHECKPOINT


@ON_SQLITE_ONLY
async def test_checkpoint_that_was_loaded_in_forges_page_is_noticed(
    shop: Workshop, simulator: Simulator
) -> None:
    await finish(shop)
    await load_in_page(simulator, OTHER_CHECKPOINT, [])
    await wait_until_looked_again()
    await finish(shop)
    await wait_until_looked_again()
    await finish(shop)
    assert switches(shop) == [CHECKPOINT, CHECKPOINT]


@ON_SQLITE_ONLY
async def test_checkpoint_that_was_only_chosen_in_forges_page_is_not_loaded(
    owner: User, tmp_path: Path
) -> None:
    """Also when its hash, and that of the loaded one, were not known when the lists were read."""
    catalogue = make_catalogue()
    for checkpoint in catalogue.checkpoints:
        checkpoint.hashed = False
    async with (
        Simulator(WORKING, catalogue).serving() as simulator,
        workshop(tmp_path, simulator.url) as shop,
    ):
        await finish(shop)
        await use_page(simulator, "options", sd_model_checkpoint=OTHER_CHECKPOINT)
        await wait_until_looked_again()
        await finish(shop)
        assert switches(shop) == [CHECKPOINT]
        await use_page(simulator, "options", sd_model_checkpoint=OTHER_CHECKPOINT)
        await wait_until_looked_again()
        await finish(shop, model_name=OTHER_CHECKPOINT)
        assert switches(shop) == [CHECKPOINT, OTHER_CHECKPOINT]


@ON_SQLITE_ONLY
async def test_restarted_forge_has_to_load_again(shop: Workshop, simulator: Simulator) -> None:
    await finish(shop)
    await simulator.restart()
    await wait_until_looked_again()
    await finish(shop)
    assert switches(shop) == [CHECKPOINT, CHECKPOINT]


async def test_unknown_upscaler_is_filled_in_when_the_job_starts(shop: Workshop) -> None:
    job = await finish(shop, upscaler_name=None)
    started = next(event for event in shop.events if isinstance(event, JobProgressed | JobFinished))
    assert started.job.parameters["upscaler_name"] == shop.catalogue.lists.upscaler(None)
    assert job.id == started.job.id


async def test_jobs_accepted_before_the_lists_were_known_are_checked_when_they_run(
    owner: User, simulator: Simulator, tmp_path: Path
) -> None:
    async with workshop(tmp_path, simulator.url) as shop:
        wrong = await shop.submit(model_name="NoSuchModel")
        right = await shop.submit(steps=2, sampler_name="k_euler_a")
        row = await shop.ended(wrong)
        assert row.status == JobStatus.FAILED
        assert row.error == "model_name: there is no checkpoint named 'NoSuchModel'."
        assert row.attempts == 0
        assert (await shop.ended(right)).status == JobStatus.SUCCEEDED
    assert len(simulator.requests) == 1
    body = simulator.requests[0].body
    assert isinstance(body, dict)
    assert body["sampler_name"] == "Euler a"


async def test_forge_with_credentials_draws(owner: User, tmp_path: Path) -> None:
    async with (
        Simulator(replace(WORKING, api_auth="user:pass"), make_catalogue()).serving() as simulator,
        workshop(tmp_path, simulator.url, auth="user:pass") as shop,
    ):
        await finish(shop)


@pytest.mark.parametrize("image_format", ["jpg", "webp"])
async def test_other_picture_formats_are_stored_with_their_infotext(
    shop: Workshop, simulator: Simulator, image_format: str
) -> None:
    await use_page(simulator, "options", samples_format=image_format)
    job = await finish(shop, prompt="a fox")
    image = await Image.get(id=job.id)
    assert image.media_type == {"jpg": "image/jpeg", "webp": "image/webp"}[image_format]
    assert image.parameters["Prompt"] == "a fox"


async def wait_until_looked_again() -> None:
    """What is loaded is not asked for again within a second."""
    loop = asyncio.get_running_loop()
    late_s = loop.time() + 1.05
    await until(lambda: loop.time() > late_s)
