"""Tests of `app/generation/requests.py`: what reaches Forge for each kind of job."""

import base64
from pathlib import Path
from typing import Any

import pytest

from app.accounts.models import User
from app.generation.models import Image
from app.jobs.models import Job, JobKind, JobStatus
from app.simulator import Simulator
from tests.app.generation.test_picture_input import PLAIN, encoded
from tests.building import (
    CHECKPOINT,
    ON_SQLITE_ONLY,
    ORIGIN,
    OWNER,
    WORKING,
    Workshop,
    make_catalogue,
    make_parameters,
    workshop,
)

TEXT = base64.b64encode(PLAIN).decode()
IMG2IMG: dict[str, Any] = {
    "model_name": CHECKPOINT, "prompt": "a castle", "width": 96, "height": 64, "steps": 20,
    "seed": 4242, "cfg_scale": 6, "sampler_name": "Euler a", "scheduler_name": "karras",
    "denoising_strength": 0.5,
}  # fmt: skip

pytestmark = ON_SQLITE_ONLY


def bodies(simulator: Simulator, path: str) -> list[dict[str, Any]]:
    """What was sent to a route of Forge's."""
    found: list[Any] = [one.body for one in simulator.requests if one.path.endswith(path)]
    return found


async def submit_img2img(shop: Workshop, mask: str | None = None, **parameters: Any) -> Job:
    from app.jobs.ids import new_job_id

    job_id = new_job_id()
    await shop.inputs.save(job_id, TEXT, mask)
    accepted = await shop.queue.submit(
        JobKind.IMG2IMG,
        IMG2IMG | {"has_mask": mask is not None} | parameters,
        owner_id=OWNER,
        origin=ORIGIN,
        job_id=job_id,
    )
    return accepted.job


async def finished(shop: Workshop, **parameters: Any) -> Job:
    """A plain picture."""
    job = await shop.ended(await shop.submit(steps=2, **parameters))
    assert job.status == JobStatus.SUCCEEDED
    return job


async def upscale(shop: Workshop, image_id: str, *, repeats: bool = True) -> Job:
    parameters = make_parameters(steps=2, force_hr_fix=True) | {
        "first_pass": image_id,
        "first_pass_repeats": repeats,
    }
    accepted = await shop.queue.submit(JobKind.TXT2IMG, parameters, owner_id=OWNER, origin=ORIGIN)
    return await shop.ended(accepted.job)


async def test_img2img_reaches_forge_as_it_was_asked_for(
    shop: Workshop, simulator: Simulator
) -> None:
    job = await shop.ended(await submit_img2img(shop, steps=150))
    assert job.status == JobStatus.SUCCEEDED, job.error
    (sent,) = bodies(simulator, "/img2img")
    given = {name: sent[name] for name in ("scheduler", "steps", "cfg_scale", "width", "height")}
    assert given == {
        "scheduler": "karras", "steps": 75, "cfg_scale": 6, "width": 96, "height": 64,
    }  # fmt: skip
    assert sent["denoising_strength"] == 0.5
    assert base64.b64decode(sent["init_images"][0]).startswith(b"\x89PNG")
    assert not {"mask", "inpainting_fill", "mask_blur"} & sent.keys()
    row = await Image.get(id=job.id)
    assert (row.width, row.height) == (96, 64)
    assert row.parameters["Denoising strength"] == "0.5"


async def test_mask_brings_the_inpainting_settings(shop: Workshop, simulator: Simulator) -> None:
    assert (await shop.ended(await submit_img2img(shop, TEXT))).status == JobStatus.SUCCEEDED
    (sent,) = bodies(simulator, "/img2img")
    assert base64.b64decode(sent["mask"]).startswith(b"\x89PNG")
    assert (sent["inpaint_full_res"], sent["mask_blur"], sent["inpainting_fill"]) == (1, 4, 1)


async def test_img2img_takes_modules_along(shop: Workshop, simulator: Simulator) -> None:
    module = simulator.modules[0].name
    job = await shop.ended(await submit_img2img(shop, modules=[module]))
    assert job.status == JobStatus.SUCCEEDED, job.error
    (sent,) = bodies(simulator, "/img2img")
    assert sent["override_settings"]["forge_additional_modules"] == [module]
    assert len(simulator.loaded_modules) == 1


async def test_strength_zero_is_a_value(shop: Workshop, simulator: Simulator) -> None:
    await shop.ended(await submit_img2img(shop, denoising_strength=0))
    (sent,) = bodies(simulator, "/img2img")
    assert sent["denoising_strength"] == 0


async def test_img2img_whose_picture_is_gone_fails_with_a_sentence(shop: Workshop) -> None:
    job = await submit_img2img(shop)
    await shop.inputs.remove(job.id)
    row = await shop.ended(job)
    assert (row.status, row.attempts) == (JobStatus.FAILED, 0)
    assert "submit it again" in str(row.error)


async def test_upscale_sends_the_picture_in_place_of_the_first_pass(
    shop: Workshop, simulator: Simulator
) -> None:
    picture = await finished(shop)
    row = await upscale(shop, picture.id)
    assert row.status == JobStatus.SUCCEEDED
    sent = bodies(simulator, "/txt2img")[-1]
    stored = await Image.get(id=picture.id)
    assert (
        base64.b64decode(sent["firstpass_image"]) == shop.images.path(stored.file_name).read_bytes()
    )
    assert (sent["enable_hr"], sent["hr_resize_x"], sent["hr_resize_y"]) == (True, 128, 128)
    image = await Image.get(id=row.id)
    assert (image.width, image.height) == (128, 128)


@pytest.fixture
async def unpatched(owner: User, tmp_path: Path) -> Any:
    from dataclasses import replace

    options = replace(WORKING, patched=False)
    async with (
        Simulator(options, make_catalogue()).serving() as simulator,
        workshop(tmp_path, simulator.url) as shop,
    ):
        await shop.health.wait_ready()
        yield shop, simulator


async def test_unpatched_forge_is_noticed_once_and_draws_the_first_pass_anew(
    unpatched: tuple[Workshop, Simulator],
) -> None:
    shop, simulator = unpatched
    picture = await finished(shop)
    for _ in range(2):
        row = await upscale(shop, picture.id)
        assert (row.status, row.attempts) == (JobStatus.SUCCEEDED, 0)
    sent = bodies(simulator, "/txt2img")[1:]
    assert ["firstpass_image" in body for body in sent] == [True, False, False]
    assert len({body["force_task_id"] for body in sent}) == 3
    assert all(body["enable_hr"] for body in sent)


async def test_patch_is_tried_again_after_a_restart_of_forge(
    unpatched: tuple[Workshop, Simulator],
) -> None:
    shop, simulator = unpatched
    picture = await finished(shop)
    await upscale(shop, picture.id)
    shop.first_pass.forget()
    await upscale(shop, picture.id)
    sent = bodies(simulator, "/txt2img")[1:]
    assert ["firstpass_image" in body for body in sent] == [True, False, True, False]


async def test_unpatched_forge_enlarges_what_cannot_be_drawn_again(
    unpatched: tuple[Workshop, Simulator],
) -> None:
    shop, simulator = unpatched
    picture = await finished(shop)
    row = await upscale(shop, picture.id, repeats=False)
    assert (row.status, row.attempts) == (JobStatus.SUCCEEDED, 0)
    (sent,) = bodies(simulator, "/img2img")
    assert (sent["width"], sent["height"], sent["denoising_strength"]) == (128, 128, 0.35)
    image = await Image.get(id=row.id)
    assert (image.width, image.height) == (128, 128)


@pytest.mark.parametrize(
    ("repeats", "status"), [(True, JobStatus.SUCCEEDED), (False, JobStatus.FAILED)]
)
async def test_picture_that_is_gone_is_drawn_anew_if_that_gives_the_same(
    shop: Workshop, simulator: Simulator, repeats: bool, status: JobStatus
) -> None:
    row = await upscale(shop, "missing-one", repeats=repeats)
    assert row.status == status
    assert not any("firstpass_image" in body for body in bodies(simulator, "/txt2img"))


async def test_picture_that_is_no_rgb_png_is_sent_as_one(
    shop: Workshop, simulator: Simulator
) -> None:
    """Forge fails at others [firstpass_gray, firstpass_rgba_latent]."""
    from PIL import Image as Pillow

    picture = await finished(shop)
    stored = await Image.get(id=picture.id)
    gray = encoded(Pillow.new("L", (64, 64), 7))
    shop.images.path(stored.file_name).write_bytes(gray)
    assert (await upscale(shop, picture.id)).status == JobStatus.SUCCEEDED
    content = base64.b64decode(bodies(simulator, "/txt2img")[-1]["firstpass_image"])
    assert content[24:26] == b"\x08\x02"
