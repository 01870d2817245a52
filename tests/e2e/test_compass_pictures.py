"""Making pictures in Compass: from the form to the finished picture, and what can come between."""

import pytest

from app.simulator import Fault, Simulator
from app.simulator.faults import FaultKind
from tests.e2e.compass import Compass
from tests.e2e.rows import shows
from tests.running import CHECKPOINT, OTHER_CHECKPOINT, RunningNavigator

FORM = {
    "model_name": CHECKPOINT,
    "prompt": "a fox",
    "negative_prompt": "",
    "width": 64,
    "height": 96,
    "steps": 20,
    "hrf_steps": 10,
    "cfg_scale": 6.5,
    "distilled_cfg": 3.5,
    "seed": -1,
    "subseed": -1,
    "subseed_strength": 0.1,
    "sampler_name": "DPM++ 2M",
    "scheduler_name": "Karras",
    "denoising_strength": 0.4,
    "upscaler_name": "R-ESRGAN 4x+",
    "force_hr_fix": False,
    "image_enhancements": False,
    "modules": [],
}
AS_TEXT = {
    name: str(value)
    for name, value in FORM.items()
    if isinstance(value, int | float) and not isinstance(value, bool)
}


@shows("Realtime", "Generate", "Progress", "Finished")
@pytest.mark.parametrize("form", [FORM, FORM | AS_TEXT], ids=["numbers", "numbers as text"])
async def test_page_sees_its_picture_come(
    compass: Compass, server: RunningNavigator, form: dict[str, object]
) -> None:
    await compass.log_in()
    transports = await compass.page.call("transports", 2)
    assert transports == ["polling", "websocket"]
    forge = stopping_at(server, 5)
    job_id = await compass.generate(form)
    progress = await compass.event("task-progress", job_id)
    assert progress["total_steps"] == 20
    assert progress["progress_path"] == f"/api/previews/{job_id}"
    # Forge stands still at step 5, so this is what the page comes to show.
    await compass.page.see("#progress", "5/20")
    preview = await compass.page.picture("#preview")
    assert preview["src"].endswith(f"/api/previews/{job_id}?step=5")
    assert preview["width"] > 0
    forge.clear_faults()
    finished = await compass.event("task-finished", job_id)
    assert finished["img_path"] == f"/api/images/{job_id}"
    picture = await compass.page.picture("#picture")
    assert (picture["width"], picture["height"]) == (64, 96)
    names = [name for name in await compass.event_names(job_id) if name != "model-changed"]
    assert names == ["task-started", "task-progress", "task-finished"]


@shows("Progress")
async def test_progress_without_a_preview_shows_no_broken_picture(
    compass: Compass, server: RunningNavigator
) -> None:
    await compass.log_in()
    await compass.connected()
    forge = stopping_at(server, 5)
    rarely = {"show_progress_every_n_steps": 10}  # Forge's own default
    await server.http.post(f"{forge.url}/sdapi/v1/options", json=rarely)
    job_id = await compass.generate(FORM)
    await compass.page.see("#progress", "5/20")
    preview = await compass.page.picture("#preview")
    assert (preview["width"], preview["height"]) == (1, 1)
    forge.clear_faults()
    await compass.event("task-finished", job_id)


@shows("Realtime")
async def test_socket_without_credentials_hears_of_its_address(
    compass: Compass, server: RunningNavigator
) -> None:
    """Nobody has logged in on this page, and the job comes from a script on the same machine."""
    await compass.connected()
    job = await server.submit(await server.login())
    assert (await compass.event("task-finished", job["job_id"]))["job_id"] == job["job_id"]


@shows("Realtime")
async def test_change_of_checkpoint_is_told(compass: Compass) -> None:
    await compass.log_in()
    await compass.connected()
    await compass.finished(FORM)
    job_id = await compass.finished(FORM | {"model_name": OTHER_CHECKPOINT})
    changed = await compass.event("model-changed", job_id)
    assert changed == {"model_name": OTHER_CHECKPOINT, "job_id": job_id}


@shows("Realtime")
async def test_failure_is_told(compass: Compass, server: RunningNavigator) -> None:
    assert server.forge is not None
    server.forge.inject(Fault(FaultKind.OUT_OF_MEMORY, times=None))
    await compass.log_in()
    await compass.connected()
    job_id = await compass.generate(FORM)
    failed = await compass.event("task-failed", job_id)
    assert failed["error"]
    assert await compass.page.text("#notice") == failed["error"]


@shows("Finished")
async def test_finished_picture_can_be_downloaded_and_linked_to(
    compass: Compass, server: RunningNavigator
) -> None:
    await compass.log_in()
    path = f"/api/images/{await compass.finished(FORM)}"
    downloaded = await compass.page.call("download", path)
    assert downloaded["status"] == 200
    assert downloaded["type"] == "image/png"
    assert downloaded["size"] == downloaded["announced"] > 0
    # A browser that follows the link asks for a page, and gets the picture all the same.
    await compass.page.open(server.url + path)
    assert await compass.page.media_type() == "image/png"


@shows("Recall")
async def test_parameters_of_a_picture_can_be_recalled(compass: Compass) -> None:
    await compass.log_in()
    _, category = await compass.ask("post", "/api/user/category", {"name": "Foxes"})
    form = FORM | {"seed": 7, "subseed": 8, "modules": ["ae.safetensors"]}
    job_id = await compass.finished(
        form | {"categoryId": category["id"], "image_enhancements": True, "negative_prompt": "dog"}
    )
    info = await compass.get(f"/api/images/{job_id}/info")
    parameters = info["parameters"]
    assert {name: str(parameters[name]) for name in RECALLED} == RECALLED
    assert float(parameters["Variation seed strength"]) == 0.1
    assert float(parameters["distilled_cfg"]) == 3.5
    assert parameters["freeu_enabled"]
    assert parameters["sag_enabled"]
    for part in (f"Model: {CHECKPOINT}", "Size: 64x96", "Module 1: ae"):
        assert part in info["info"]
    meta = await compass.get(f"/api/user/image/{job_id}/meta")
    assert meta["category_id"] == category["id"]


RECALLED = {
    "Prompt": "a fox",
    "Negative prompt": "dog",
    "Sampler": "DPM++ 2M",
    "Schedule type": "Karras",
    "Steps": "20",
    "CFG scale": "6.5",
    "Seed": "7",
    "Variation seed": "8",
}


@shows("Finished")
async def test_finished_picture_can_be_upscaled(compass: Compass) -> None:
    await compass.log_in()
    await compass.connected()
    picture = await compass.finished(FORM)
    upscaled = await compass.generate(
        {"upscaler_name": "R-ESRGAN 4x+", "denoising_strength": 0.35, "hrf_steps": 10},
        f"/api/queue/user/txt2img/upscale-hrf/{picture}",
    )
    await compass.event("task-finished", upscaled)
    await compass.page.see(f'#picture[src$="{upscaled}"]')
    shown = await compass.page.picture("#picture")
    assert (shown["width"], shown["height"]) == (128, 192)


@shows("After interrupt")
async def test_interrupted_job_still_brings_what_it_has(
    compass: Compass, server: RunningNavigator
) -> None:
    forge, job_id = await drawing(compass, server)
    status, told = await compass.ask("post", f"/api/queue/interrupt/{job_id}")
    assert (status, told["status"]) == (200, "interrupted")
    forge.clear_faults()
    await compass.event("task-finished", job_id)
    assert (await compass.page.picture("#picture"))["width"] == 64


@shows("After interrupt")
async def test_interrupted_job_that_has_nothing_fails(
    compass: Compass, server: RunningNavigator
) -> None:
    forge, job_id = await drawing(compass, server)
    assert (await compass.ask("post", f"/api/queue/interrupt/{job_id}"))[0] == 200
    forge.clear_faults()
    forge.inject(Fault.no_images())
    assert (await compass.event("task-failed", job_id))["status"] == "failed"


@shows("After interrupt")
async def test_waiting_job_is_removed_at_once(compass: Compass, server: RunningNavigator) -> None:
    await compass.log_in()
    await compass.connected()
    forge = stopping_at(server, 5)
    running = await compass.generate(FORM)
    await compass.event("task-progress", running)
    waiting = await compass.generate(FORM)
    status, told = await compass.ask("post", f"/api/queue/interrupt/{waiting}")
    assert (status, told["status"]) == (200, "removed")
    forge.clear_faults()
    await compass.event("task-finished", running)
    assert await compass.event_names(waiting) == []
    assert (await compass.get("/api/user/jobs"))["count"] == 1


def stopping_at(server: RunningNavigator, step: int) -> Simulator:
    """The Forge of `server`, whose next run stands still after this step until faults go."""
    assert server.forge is not None
    server.forge.inject(Fault.hang(after_steps=step))
    return server.forge


async def drawing(compass: Compass, server: RunningNavigator) -> tuple[Simulator, str]:
    """A job of a page that has logged in, which stands still after five steps until faults go."""
    await compass.log_in()
    await compass.connected()
    forge = stopping_at(server, 5)
    job_id = await compass.generate(FORM)
    await compass.page.see("#progress", "5/20")
    return forge, job_id
