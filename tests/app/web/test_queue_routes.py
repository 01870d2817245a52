"""Tests of `app/web/queue_routes.py`: submitting, cancelling and retrying, as recorded."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.accounts.roles import Role
from app.jobs.models import Job, JobStatus
from tests.contract import compare, exchange
from tests.databases import free_port
from tests.running import (
    CHECKPOINT,
    JOB_PATH,
    SLOW,
    SUPERUSER_TOKEN,
    RunningNavigator,
    running_navigator,
)
from tests.waiting import until

OWNER = "100000000000000001"


@pytest.fixture
async def owner(server: RunningNavigator) -> str:
    """A token of the user who made most of the recorded requests."""
    return await server.add_user(OWNER, Role.APEX)


@pytest.mark.parametrize(
    ("number", "but"),
    [
        (139, {}),
        (158, {}),
        (159, {}),
        (161, {}),
        (162, {}),
        (
            163,
            dict.fromkeys(
                ("width", "height", "steps", "hrf_steps", "cfg_scale"),
                "numbers in text become numbers",
            ),
        ),
        (165, {}),
        (166, {}),
        (167, {"image_enhancements": "the word means what it says"}),
        (307, {}),
    ],
)
async def test_job_is_accepted_as_recorded(
    server: RunningNavigator, owner: str, number: int, but: dict[str, str]
) -> None:
    recorded = exchange(number)
    answer = await server.replay(recorded, token=owner)
    compare(recorded, answer.status, answer.json, but=but)
    assert list(answer.json)[:2] == list(recorded.answer)[:2]
    assert "waiting_reason" not in answer.json


async def test_answer_has_the_recorded_keys_in_the_recorded_order(
    server: RunningNavigator, owner: str
) -> None:
    recorded = exchange(140)
    body = {key: value for key, value in recorded.body.items() if key != "categoryId"}
    answer = await server.post(JOB_PATH, body, token=owner)
    expected = {key: value for key, value in recorded.answer.items() if key != "categoryId"}
    assert list(answer.json) == list(expected)
    ours = {"job_id": answer.json["job_id"], "origin": "127.0.0.1"}
    assert answer.json == expected | ours


async def test_defaults_are_the_recorded_ones(server: RunningNavigator, owner: str) -> None:
    recorded = exchange(139)
    answer = await server.replay(recorded, token=owner)
    ours = {"job_id": answer.json["job_id"], "origin": "127.0.0.1"}
    assert answer.json == recorded.answer | ours
    assert re.fullmatch("[0-9a-z]{20}", answer.json["job_id"])


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ({"width": 0, "height": None, "steps": 0}, {"width": 512, "height": 512, "steps": 50}),
        ({"cfg_scale": 0, "distilled_cfg": "0"}, {"cfg_scale": 7, "distilled_cfg": 3.5}),
        ({"seed": 0, "denoising_strength": 0}, {"seed": 0, "denoising_strength": 0}),
        ({"subseed": 0, "subseed_strength": 0}, {"subseed": 0, "subseed_strength": 0}),
        ({"width": "64", "height": " 64.0 ", "seed": "5"}, {"width": 64, "height": 64, "seed": 5}),
        ({"steps": 3}, {"steps": 3, "hrf_steps": 3}),
        ({"sampler_name": "k_euler_a"}, {"sampler_name": "Euler a"}),
        ({"sampler_name": "EULER"}, {"sampler_name": "Euler"}),
        ({"sampler_name": "", "scheduler_name": ""}, {"sampler_name": "DPM++ 2M"}),
        ({"scheduler_name": "SGM Uniform"}, {"scheduler_name": "sgm_uniform"}),
        ({"scheduler_name": "nonsense"}, {"scheduler_name": "automatic"}),
        ({"upscaler_name": "nonsense"}, {"upscaler_name": "Lanczos"}),
        ({"model_name": f"{CHECKPOINT}.safetensors"}, {"model_name": CHECKPOINT}),
        ({"force_hr_fix": "true", "steps": 1}, {"force_hr_fix": True}),
        ({"image_enhancements": "false"}, {"image_enhancements": False}),
        ({"modules": ["ae.safetensors"]}, {"modules": ["ae.safetensors"]}),
        ({"negative_prompt": ""}, {"negative_prompt": ""}),
    ],
)
async def test_values_are_echoed_as_they_will_be_used(
    server: RunningNavigator, token: str, sent: dict[str, Any], echoed: dict[str, Any]
) -> None:
    answer = await server.submit(token, **sent)
    assert {key: answer.get(key) for key in echoed} == echoed
    await server.finished(answer["job_id"])


@pytest.mark.parametrize("sent", [{"modules": None}, {"modules": []}, {"subseed": 1}])
async def test_what_says_nothing_is_left_out(
    server: RunningNavigator, token: str, sent: dict[str, Any]
) -> None:
    answer = await server.submit(token, **sent)
    assert answer.keys() & {"modules", "subseed", "subseed_strength", "categoryId"} == set()


async def test_owner_and_origin_cannot_be_claimed(server: RunningNavigator, token: str) -> None:
    claims = {"owner_id": "999", "origin": "6.6.6.6", "status": "finished", "type": "img2img"}
    headers = {"X-Forwarded-For": "6.6.6.6", "CF-Connecting-IP": "6.6.6.6", "Forwarded": "for=6"}
    answer = await server.submit(token, **claims, headers=headers)
    assert (answer["owner_id"], answer["origin"]) == ("demo_user", "127.0.0.1")
    assert (answer["status"], answer["type"]) == ("queued", "txt2img")
    job = await Job.get(id=answer["job_id"])
    assert (job.owner_id, job.origin) == ("demo_user", "127.0.0.1")


async def test_demo_user_and_superuser_are_the_owners_as_recorded(
    server: RunningNavigator, token: str
) -> None:
    answer = await server.replay(exchange(174), token=token)
    compare(exchange(174), answer.status, answer.json)
    assert answer.json["owner_id"] == "demo_user"
    header = {"Authorization": SUPERUSER_TOKEN}
    answer = await server.replay(exchange(175), headers=header)
    compare(exchange(175), answer.status, answer.json)
    assert answer.json["owner_id"] == "superuser"
    assert SUPERUSER_TOKEN not in answer.content.decode()


@pytest.mark.parametrize(
    ("number", "but"),
    [
        (130, {}),
        (132, {"error": "names the field"}),
        (133, {"error": "names the field"}),
        (134, {"error": "names the field"}),
        (135, {}),
        (136, {}),
        (138, {}),
    ],
)
async def test_job_is_refused_as_recorded(
    server: RunningNavigator, token: str, number: int, but: dict[str, str]
) -> None:
    recorded = exchange(number)
    answer = await server.replay(recorded, token=None if number == 130 else token)
    compare(recorded, answer.status, answer.json, but=but)
    if but:
        assert answer.json["error"].startswith(recorded.answer["error"])
    assert await Job.all().count() == 0


async def test_disabled_user_is_refused_as_recorded(server: RunningNavigator) -> None:
    token = await server.add_user("1", Role.NONE)
    answer = await server.replay(exchange(131), token=token)
    compare(exchange(131), answer.status, answer.json)
    assert await Job.all().count() == 0


async def test_null_for_modules_ends_nothing_any_more(server: RunningNavigator, token: str) -> None:
    answer = await server.replay(exchange(291), token=token)
    assert answer.status == 200
    await server.finished(answer.json["job_id"])


async def test_pixel_limit_is_told_as_recorded(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, IMAGE_PIXEL_LIMIT="1048576") as server:
        answer = await server.replay(exchange(306), token=await server.login())
        compare(exchange(306), answer.status, answer.json)
        assert await Job.all().count() == 0


@pytest.mark.parametrize(
    ("number", "field"),
    [(160, "sampler_name"), (164, "width"), (290, "job_id"), (292, "scheduler_name")],
)
async def test_what_was_accepted_and_failed_later_is_400_now(
    server: RunningNavigator, token: str, number: int, field: str
) -> None:
    answer = await server.replay(exchange(number), token=token)
    assert answer.status == 400
    assert answer.json["error"].startswith(field)
    assert await Job.all().count() == 0


async def test_own_job_id_is_accepted_once(server: RunningNavigator, token: str) -> None:
    for job_id in ("efe51e32", "A-z_0123", "x" * 64):
        assert (await server.submit(token, job_id=job_id))["job_id"] == job_id
    await server.finished("x" * 64)
    other = await server.add_user("other")
    for user in (token, other):
        answer = await server.replay(exchange(289), token=user)
        assert (answer.status, answer.json["error_code"]) == (409, "CONFLICT")
        assert "job_id" in answer.json["error"]
        assert "efe51e32" in answer.json["error"]
    assert (await server.submit(token, job_id="EFE51E32"))["job_id"] == "EFE51E32"


async def test_limit_of_waiting_jobs_is_429_naming_it(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    async with running_navigator(tmp_path, forge=address, MAX_QUEUED_JOBS_PER_USER="3") as server:
        token, other = await server.login(), await server.add_user("other")
        jobs = [await server.submit(token) for _ in range(3)]
        assert [job["queue_size"] for job in jobs] == [1, 2, 3]
        answer = await server.replay(exchange(139), token=token)
        assert (answer.status, answer.json["error_code"]) == (429, "TOO_MANY_QUEUED_JOBS")
        assert "3" in answer.json["error"]
        assert "MAX_QUEUED_JOBS_PER_USER" in answer.json["error"]
        assert (await server.submit(other))["queue_size"] == 4
        path = f"/api/queue/interrupt/{jobs[0]['job_id']}"
        assert (await server.post(path, token=token)).status == 200
        assert (await server.submit(token))["queue_size"] == 4
        assert await Job.filter(status=JobStatus.QUEUED).count() == 4


async def test_jobs_wait_for_forge_and_start_when_it_appears(tmp_path: Path) -> None:
    port = free_port()
    async with running_navigator(tmp_path, forge=f"http://127.0.0.1:{port}") as server:
        token = await server.login()
        accepted = await server.submit(token, model_name="nobody knows yet", sampler_name="any")
        assert accepted["status"] == "queued"
        assert "Forge" in accepted["waiting_reason"]
        # Recorded as the end of the server.
        known = (await server.replay(exchange(359), token=token)).json
        assert await Job.filter(status=JobStatus.QUEUED).count() == 2
        async with server.forge_at(port):
            await server.finished(known["job_id"])
            await server.reached(accepted["job_id"], JobStatus.FAILED)
            job = await Job.get(id=accepted["job_id"])
            assert "nobody knows yet" in str(job.error)
            assert "waiting_reason" not in await server.submit(token)


async def test_jobs_run_in_the_order_of_their_submission(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=SLOW) as server:
        tokens = [await server.login(), await server.add_user("other")]
        jobs = [await server.submit(tokens[n % 2], steps=2, seed=n) for n in range(8)]
        await server.finished(jobs[-1]["job_id"])
        await until(lambda: Job.filter(status=JobStatus.SUCCEEDED).count())
        assert server.forge is not None
        bodies: list[Any] = [request.body for request in server.forge.requests]
        assert [body["seed"] for body in bodies] == list(range(8))
