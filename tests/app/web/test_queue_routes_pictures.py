"""Tests of `app/web/queue_routes.py`: img2img and upscales, beside the recorded exchanges."""

import base64
from pathlib import Path
from typing import Any

import pytest

from app.accounts.roles import Role
from app.generation.models import Image
from app.jobs.models import Job, JobStatus
from app.simulator import Fault, SimulatorOptions
from tests.app.generation.test_picture_input import PLAIN
from tests.contract import compare, exchange
from tests.running import CHECKPOINT, RunningNavigator, running_navigator
from tests.waiting import until

IMG2IMG = "/api/queue/user/img2img"
UPSCALE = "/api/queue/user/txt2img/upscale-hrf"
TEXT = base64.b64encode(PLAIN).decode()
OTHER = "200000000000000002"


def asked(**parameters: Any) -> dict[str, Any]:
    body = {
        "model_name": CHECKPOINT, "prompt": "a castle", "width": 64, "height": 64, "steps": 2,
        "init_image": TEXT,
    }  # fmt: skip
    return {name: value for name, value in (body | parameters).items() if value != "absent"}


async def test_img2img_answers_as_recorded_and_makes_a_picture(
    server: RunningNavigator, token: str
) -> None:
    answer = await server.post(IMG2IMG, asked(), token=token)
    compare(exchange(195), answer.status, answer.json)
    assert not {"init_image", "mask", "has_mask", "backendRequest"} & answer.json.keys()
    job_id = answer.json["job_id"]
    await server.finished(job_id)
    image = await Image.get(id=job_id)
    assert (image.width, image.height) == (64, 64)
    assert (await server.get(f"/api/images/{job_id}")).status == 200


async def test_img2img_from_a_picture_of_the_callers(server: RunningNavigator, token: str) -> None:
    picture = await server.picture(token)
    named = asked(init_image=f"NAVIGATOR_{picture}", mask=TEXT)
    answer = await server.post(IMG2IMG, named, token=token)
    compare(exchange(196), answer.status, answer.json)
    await server.finished(answer.json["job_id"])


async def test_failed_img2img_is_retried_unless_its_initial_image_is_gone(
    server: RunningNavigator, token: str
) -> None:
    assert server.forge is not None
    server.forge.inject(Fault.http_500("/sdapi/v1/img2img", times=6))
    job_id = (await server.post(IMG2IMG, asked(), token=token)).json["job_id"]
    await server.reached(job_id, JobStatus.FAILED)
    assert (await server.post(f"/api/queue/retry/{job_id}", token=token)).status == 200
    await server.reached(job_id, JobStatus.FAILED)
    (server.settings.data_dir / "inputs" / f"{job_id}.init.png").unlink()
    stranger = await server.add_user(OTHER)
    foreign = await server.post(f"/api/queue/retry/{job_id}", token=stranger)
    assert foreign.status == 404
    answer = await server.post(f"/api/queue/retry/{job_id}", token=token)
    assert (answer.status, answer.json["error_code"]) == (409, "INITIAL_IMAGE_GONE")
    assert (await Job.get(id=job_id)).status == JobStatus.FAILED


async def test_default_strength_is_three_quarters(server: RunningNavigator, token: str) -> None:
    answer = await server.post(IMG2IMG, asked(), token=token)
    assert answer.json["denoising_strength"] == 0.75
    answer = await server.post(IMG2IMG, asked(denoising_strength=0), token=token)
    assert answer.json["denoising_strength"] == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [({"init_image": "absent"}, "init_image"), ({"init_image": None}, "init_image"),
     ({"init_image": ""}, "init_image"), ({"init_image": 5}, "init_image"),
     ({"init_image": "http://127.0.0.1/x.png"}, "init_image"),
     ({"init_image": TEXT[:40]}, "init_image"), ({"mask": "!"}, "mask"), ({"mask": 5}, "mask"),
     ({"denoising_strength": 1.5}, "Denoising strength must be between 0.0 and 1.0"),
     ({"denoising_strength": -1}, "Denoising strength must be between 0.0 and 1.0"),
     ({"denoising_strength": "x"}, "denoising_strength"), ({"model_name": "none"}, "model_name"),
     ({"width": 4000, "height": 4000}, "The total value of (Width * Height)"),
     ({"prompt": ""}, "prompt"), ({"steps": -1}, "steps"), ({"modules": ["none"]}, "modules")],
)  # fmt: skip
async def test_img2img_that_cannot_be_is_refused_by_name(
    server: RunningNavigator, token: str, change: dict[str, Any], named: str
) -> None:
    answer = await server.post(IMG2IMG, asked(**change), token=token)
    assert (answer.status, named in answer.json["error"]) == (400, True), answer.content
    assert not await Job.exists()
    assert list((server.settings.data_dir / "inputs").iterdir()) == []


async def test_enhancements_of_img2img_are_a_choice(server: RunningNavigator, token: str) -> None:
    for given, expected in ((False, False), ("false", False), (True, True), ("absent", False)):
        answer = await server.post(IMG2IMG, asked(image_enhancements=given), token=token)
        assert answer.json["image_enhancements"] is expected


@pytest.mark.parametrize("kind", ["img2img", "upscale"])
async def test_foreign_and_unknown_pictures_are_refused_alike(
    server: RunningNavigator, token: str, kind: str
) -> None:
    picture = await server.picture(token)
    stranger = await server.add_user(OTHER)

    async def send(image_id: str, used: str) -> tuple[int, Any]:
        if kind == "upscale":
            answer = await server.post(f"{UPSCALE}/{image_id}", {}, token=used)
        else:
            body = asked(init_image=f"NAVIGATOR_{image_id}")
            answer = await server.post(IMG2IMG, body, token=used)
        return answer.status, answer.json

    foreign = await send(picture, stranger)
    assert foreign == await send("unknown-one", stranger) == await send("x" * 300, stranger)
    assert foreign[0] == 400
    assert foreign[1]["error"] == "Job not found"
    administrator = await server.add_user("300000000000000003", Role.ARCHITECT)
    assert (await send(picture, administrator))[0] == 200


async def test_upscale_answers_as_recorded_with_numbers(
    server: RunningNavigator, token: str
) -> None:
    category = await server.post("/api/user/category", {"name": "mine"}, token=token)
    picture = await server.picture(
        token, negative_prompt="blurry", categoryId=category.json["id"],
        modules=["ae.safetensors"], image_enhancements=True, steps=3, seed=7, cfg_scale=6.5,
        sampler_name="Euler a", scheduler_name="Karras", width=64, height=96,
    )  # fmt: skip
    answer = await server.post(f"{UPSCALE}/{picture}", {}, token=token)
    texts = ("width", "height", "steps", "hrf_steps", "seed", "cfg_scale")
    compare(
        exchange(178), answer.status, answer.json, but=dict.fromkeys(texts, "a number everywhere")
    )
    found = answer.json
    assert (found["width"], found["height"], found["seed"], found["steps"]) == (64, 96, 7, 3)
    assert (found["modules"], found["image_enhancements"]) == (["ae.safetensors"], True)
    assert (found["categoryId"], found["scheduler_name"]) == (category.json["id"], "karras")
    assert not {"first_pass", "first_pass_repeats"} & found.keys()
    await server.finished(found["job_id"])
    image = await Image.get(id=found["job_id"])
    assert (image.width, image.height, image.category_id) == (128, 192, category.json["id"])


async def test_upscale_needs_no_body_and_takes_three_choices(
    server: RunningNavigator, token: str
) -> None:
    picture = await server.picture(token, steps=4)
    plain = await server.request("POST", f"{UPSCALE}/{picture}", token=token)
    assert (plain.status, plain.json["categoryId"]) == (200, None)
    chosen = {"hrf_steps": 2, "denoising_strength": "0.4", "steps": 99, "prompt": "ignored"}
    answer = await server.post(f"{UPSCALE}/{picture}", chosen, token=token)
    assert (answer.json["hrf_steps"], answer.json["denoising_strength"]) == (2, 0.4)
    assert (answer.json["steps"], answer.json["prompt"]) == (4, "a fox")


async def test_upscale_asks_forge_for_nothing(server: RunningNavigator, token: str) -> None:
    assert server.forge is not None
    picture = await server.picture(token, steps=4)
    server.forge.inject(Fault.http_500("/sdapi/v1/png-info", times=None))
    calls = server.forge.calls["POST /sdapi/v1/png-info"]
    answer = await server.post(f"{UPSCALE}/{picture}", {}, token=token)
    assert (answer.status, answer.json["steps"]) == (200, 4)
    await server.finished(answer.json["job_id"])
    assert server.forge.calls["POST /sdapi/v1/png-info"] == calls


async def test_cancelled_job_takes_its_pictures_along(slow_server: RunningNavigator) -> None:
    server = slow_server
    token = await server.login()
    await server.submit(token, steps=100)
    answer = await server.post(IMG2IMG, asked(mask=TEXT), token=token)
    inputs = server.settings.data_dir / "inputs"
    assert len(list(inputs.iterdir())) == 2
    cancelled = await server.post(f"/api/queue/interrupt/{answer.json['job_id']}", token=token)
    assert cancelled.json["status"] == "removed"
    assert list(inputs.iterdir()) == []


async def test_who_has_too_many_jobs_is_refused_before_anything_is_decoded(tmp_path: Path) -> None:
    slow = SimulatorOptions(step_time_s=0.05, checkpoint_load_time_s=0, draw=False)
    async with running_navigator(tmp_path, forge=slow, MAX_QUEUED_JOBS_PER_USER="1") as server:
        token = await server.login()
        for _ in range(2):
            await server.submit(token, steps=100)
            await server.navigator.health.wait_ready()
            await until(lambda: Job.exists(status="running"))
        answer = await server.post(IMG2IMG, asked(init_image="no picture"), token=token)
        assert answer.status == 429


async def test_upscale_of_a_large_picture_is_refused_as_recorded(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, IMAGE_PIXEL_LIMIT="4096") as server:
        token = await server.login()
        picture = await server.picture(token)
        answer = await server.post(f"{UPSCALE}/{picture}", {}, token=token)
        compare(exchange(183), answer.status, answer.json)


async def test_bytes_of_waiting_pictures_are_limited(tmp_path: Path) -> None:
    slow = SimulatorOptions(step_time_s=0.05, checkpoint_load_time_s=0, draw=False)
    async with running_navigator(tmp_path, forge=slow, MAX_QUEUED_BYTES_PER_USER="100") as server:
        token = await server.login()
        await server.submit(token, steps=100)
        statuses = [(await server.post(IMG2IMG, asked(), token=token)).status for _ in range(3)]
        assert statuses.count(429) >= 1
        answer = await server.post(IMG2IMG, asked(), token=token)
        assert "MAX_QUEUED_BYTES_PER_USER" in answer.json["error"]
        waiting = await Job.filter(kind="img2img").count()
        assert len(list((server.settings.data_dir / "inputs").iterdir())) == waiting
