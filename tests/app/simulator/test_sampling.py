"""One run: sizes, second pass, interrupt, skip, as the recordings and their README tell."""

import asyncio
import base64
import io
import json
from typing import Any

import aiohttp
import pytest
from PIL import Image

from app.simulator import Simulator, SimulatorOptions
from tests.app.simulator.polling import Poll, broken_rules, has_steps, of_task, overall, watching
from tests.app.simulator.recording import (
    FOLDER,
    Pictures,
    recorded_install,
    series,
    session_for,
)
from tests.waiting import until

SMALL = {"prompt": "a red fox, masterpiece", "seed": 1234, "width": 64, "height": 64}
HIRES = {**SMALL, "enable_hr": True, "denoising_strength": 0.5, "hr_additional_modules": []}
INITIAL = "base64:<9499 bytes, sha256 05855fed" + "0" * 56 + ">"


def picture_of(answer: dict[str, Any], index: int = 0) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(answer["images"][index])))


async def run(
    http: aiohttp.ClientSession, body: dict[str, Any], route: str = "txt2img"
) -> dict[str, Any]:
    async with http.post(f"/sdapi/v1/{route}", json=body) as response:
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


def start(http: aiohttp.ClientSession, body: dict[str, Any]) -> asyncio.Task[dict[str, Any]]:
    return asyncio.create_task(run(http, body))


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("txt2img/width_not_multiple_of_8", {**SMALL, "width": 70, "height": 61}),
        ("txt2img/hr_aspect_mismatch", {**HIRES, "hr_resize_x": 128, "hr_resize_y": 64}),
        ("hr target not multiple of 8 latent", {**HIRES, "hr_resize_x": 100, "hr_resize_y": 100}),
        (
            "txt2img/firstpass_other_size",
            {
                **HIRES,
                "hr_resize_x": 128,
                "hr_resize_y": 128,
                "hr_upscaler": "Lanczos",
                "firstpass_image": INITIAL,
            },
        ),
        ("img2img/resize_mode_just_resize_96x48", {**SMALL, "init_images": [INITIAL]}),
    ],
)
async def test_picture_has_the_recorded_size(
    case: str, body: dict[str, Any], http: aiohttp.ClientSession
) -> None:
    recorded = json.loads((FOLDER / "process/dimensions.json").read_text(encoding="utf-8"))
    route = "img2img" if case.startswith("img2img") else "txt2img"
    answer = await run(http, Pictures().fill({**body, "steps": 1}), route)
    assert list(picture_of(answer).size) == recorded["results"][case][0]


async def test_first_pass_picture_is_what_gets_larger(http: aiohttp.ClientSession) -> None:
    first = Image.new("RGB", (64, 64), (200, 30, 60))
    out = io.BytesIO()
    first.save(out, "PNG")
    text = base64.b64encode(out.getvalue()).decode()
    body = {**HIRES, "steps": 1, "hr_upscaler": "Lanczos", "firstpass_image": text}
    answer = await run(http, body)
    assert picture_of(answer).getpixel((64, 64)) == (200, 30, 60)


async def test_run_with_first_pass_picture_starts_in_the_middle(
    http: aiohttp.ClientSession,
) -> None:
    recorded = series("16_interrupt_second_pass_firstpass_image")["requests"]["A"]["body"]
    async with watching(http, "navigator-i6") as polls:
        await run(http, Pictures().fill(recorded))
    sampling = [poll.overall for poll in polls if poll.overall["state"]["sampling_step"]]
    assert {answer["state"]["job_no"] for answer in sampling} == {1}
    assert {answer["state"]["job_count"] for answer in sampling} == {2}
    assert min(answer["progress"] for answer in sampling) > 0.5
    assert list(broken_rules(polls)) == []


async def test_unpatched_forge_repeats_the_whole_picture_in_its_error() -> None:
    options = SimulatorOptions(step_time_s=0, checkpoint_load_time_s=0, patched=False)
    text = Pictures().fill(INITIAL)
    async with (
        Simulator(options, recorded_install()).serving() as simulator,
        session_for(simulator) as http,
        http.post("/sdapi/v1/txt2img", json={**HIRES, "firstpass_image": text}) as response,
    ):
        assert response.status == 500
        error = await response.json()
    assert error["message"] == f"could not convert string to float: '{text}'"


@pytest.mark.parametrize("missing", ["hr_additional_modules", "denoising_strength"])
async def test_second_pass_fails_after_the_whole_first_one(missing: str) -> None:
    body = {key: value for key, value in HIRES.items() if key != missing}
    # Each step has to be seen, also on a busy machine.
    options = SimulatorOptions(step_time_s=0.2, checkpoint_load_time_s=0)
    async with (
        Simulator(options, recorded_install()).serving() as simulator,
        session_for(simulator) as http,
        watching(http, "x") as polls,
        http.post("/sdapi/v1/txt2img", json={**body, "steps": 4, "force_task_id": "x"}) as response,
    ):
        assert response.status == 500
        assert (await response.json())["error"] == "TypeError"
    assert max(poll.overall["state"]["sampling_step"] for poll in polls) == 3
    assert polls[-1].tasks["x"]["active"]


async def test_img2img_runs_a_part_of_the_steps(http: aiohttp.ClientSession) -> None:
    body = Pictures().fill(
        {**SMALL, "steps": 10, "denoising_strength": 0.5, "init_images": [INITIAL]}
    )
    answer = await run(http, body, "img2img")
    assert (await overall(http))["state"]["sampling_steps"] == 6
    assert "Steps: 10," in json.loads(answer["info"])["infotexts"][0]


async def test_variation_is_told_and_changes_the_picture(http: aiohttp.ClientSession) -> None:
    plain = await run(http, {**SMALL, "steps": 1})
    varied = await run(http, {**SMALL, "steps": 1, "subseed": 77, "subseed_strength": 0.3})
    text = json.loads(varied["info"])["infotexts"][0]
    assert "Variation seed: 77, Variation seed strength: 0.3, Version:" in text
    assert picture_of(plain).tobytes() != picture_of(varied).tobytes()


async def test_interrupt_gives_a_partial_picture_and_stays_visible(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    whole = await run(http, {**SMALL, "steps": 12})
    running = start(http, {**SMALL, "steps": 12, "force_task_id": "i1"})
    await until(lambda: has_steps(http, 3))
    async with http.post("/sdapi/v1/interrupt") as response:
        assert await response.json() == {}
    partial = await running
    assert simulator.interrupts == 1
    assert len(partial["images"]) == 1
    assert picture_of(partial).size == (64, 64)
    assert picture_of(partial).tobytes() != picture_of(whole).tobytes()
    infos = [json.loads(answer["info"]) for answer in (whole, partial)]
    assert infos[0]["infotexts"] == infos[1]["infotexts"]
    state = (await overall(http))["state"]
    assert (state["interrupted"], state["job_no"], state["job_count"]) == (True, 1, 0)
    assert (await of_task(http, "i1"))["completed"]
    again = await run(http, {**SMALL, "steps": 12})
    assert again["images"] == whole["images"]
    assert (await overall(http))["state"]["interrupted"] is False


async def test_interrupt_while_idle_does_not_touch_the_next_run(
    http: aiohttp.ClientSession,
) -> None:
    await http.post("/sdapi/v1/interrupt")
    await http.post("/sdapi/v1/skip")
    state = (await overall(http))["state"]
    assert (state["interrupted"], state["skipped"]) == (True, True)
    one = await run(http, {**SMALL, "steps": 3})
    other = await run(http, {**SMALL, "steps": 3})
    assert one["images"] == other["images"]


async def test_interrupt_during_the_load_gives_no_picture(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    async def loading() -> bool:
        return bool((await overall(http))["state"]["job_count"] == -1)

    running = start(http, {**SMALL, "steps": 3})
    await until(loading)
    await http.post("/sdapi/v1/interrupt")
    answer = await running
    assert answer["images"] == []
    info = json.loads(answer["info"])
    assert (len(info["infotexts"]), info["sd_model_name"]) == (1, "randomA")
    assert simulator.loaded_checkpoint == "randomA"
    assert (await overall(http))["state"]["job_no"] == 0


async def test_interrupt_leaves_the_waiting_request_alone(http: aiohttp.ClientSession) -> None:
    first = start(http, {**SMALL, "steps": 30, "force_task_id": "a"})
    await until(lambda: has_steps(http, 1))
    second = start(http, {**SMALL, "steps": 3, "force_task_id": "b"})

    async def waits() -> bool:
        return bool((await of_task(http, "b"))["queued"])

    await until(waits)
    await http.post("/sdapi/v1/interrupt")
    assert len((await first)["images"]) == 1
    assert (await second)["images"] == (await run(http, {**SMALL, "steps": 3}))["images"]


async def test_interrupt_in_the_first_batch_drops_the_others(http: aiohttp.ClientSession) -> None:
    running = start(http, {**SMALL, "steps": 12, "n_iter": 3})
    await until(lambda: has_steps(http, 2))
    await http.post("/sdapi/v1/interrupt")
    answer = await running
    info = json.loads(answer["info"])
    assert (len(answer["images"]), len(info["infotexts"])) == (1, 1)
    assert info["all_seeds"] == [1234, 1235, 1236]


async def test_interrupt_in_the_first_pass_gives_its_size(http: aiohttp.ClientSession) -> None:
    running = start(http, {**HIRES, "steps": 12, "hr_resize_x": 128, "hr_resize_y": 128})
    await until(lambda: has_steps(http, 2))
    await http.post("/sdapi/v1/interrupt")
    assert picture_of(await running).size == (64, 64)
    assert (await overall(http))["state"]["job_no"] == 1


async def test_skip_ends_one_batch_only(http: aiohttp.ClientSession) -> None:
    body = series("14_skip_first_of_two")["requests"]["A"]["body"]
    whole = await run(http, {**body, "steps": 12})
    running = start(http, {**body, "steps": 12})
    await until(lambda: has_steps(http, 2))
    async with http.post("/sdapi/v1/skip") as response:
        assert await response.json() is None
    answer = await running
    assert len(answer["images"]) == 2
    assert answer["images"][0] != whole["images"][0]
    assert answer["images"][1] == whole["images"][1]


async def test_same_task_id_twice_has_two_flags_at_once(http: aiohttp.ClientSession) -> None:
    body = {**SMALL, "steps": 6, "force_task_id": "dup"}
    flags: set[tuple[bool, ...]] = set()

    def note(polls: list[Poll]) -> None:
        for poll in polls:
            task = poll.tasks["dup"]
            flags.add((task["active"], task["queued"], task["completed"]))

    async with watching(http, "dup") as polls:
        await asyncio.gather(run(http, body), run(http, body))
    note(polls)
    assert {(True, True, False), (True, False, True), (False, False, True)} <= flags
