"""Progress and previews: the same rules hold for recorded series and for simulated ones."""

import asyncio
import base64
import functools
import io
from typing import Any

import aiohttp
import pytest
from PIL import Image

from app.simulator import Simulator, SimulatorOptions
from tests.app.simulator.polling import (
    Poll,
    broken_rules,
    has_steps,
    of_task,
    overall,
    recorded_polls,
    watching,
)
from tests.app.simulator.recording import FOLDER, series, session_for
from tests.waiting import until

SERIES = sorted(path.stem for path in (FOLDER / "progress").glob("*.json"))
UNDISTURBED = ["02_single_preview_every_step", "03_hires_two_jobs", "04_n_iter_2"]


def request_of(name: str) -> dict[str, Any]:
    body: dict[str, Any] = series(name)["requests"]["A"]["body"]
    return body


def images_of(polls: list[Poll], task_id: str) -> list[Image.Image]:
    texts = [poll.tasks[task_id]["live_preview"] for poll in polls]
    return [
        Image.open(io.BytesIO(base64.b64decode(text.partition(",")[2]))) for text in texts if text
    ]


async def run(http: aiohttp.ClientSession, body: dict[str, Any]) -> dict[str, Any]:
    async with http.post("/sdapi/v1/txt2img", json=body) as response:
        assert response.status == 200
        answer: dict[str, Any] = await response.json()
        return answer


@pytest.mark.parametrize("name", SERIES)
def test_recorded_series_obeys_the_rules(name: str) -> None:
    assert list(broken_rules(recorded_polls(name))) == []


@pytest.mark.parametrize("name", UNDISTURBED)
async def test_simulated_series_obeys_the_rules(name: str, http: aiohttp.ClientSession) -> None:
    body = request_of(name)
    task_id = body["force_task_id"]
    async with watching(http, task_id) as polls:
        await run(http, body)
    assert list(broken_rules(polls)) == []
    for kind in (polls, recorded_polls(name)):
        done = [poll.tasks[task_id]["progress"] for poll in kind if poll.tasks[task_id]["active"]]
        assert done == sorted(done)
        last = kind[-1]
        assert last.tasks[task_id]["completed"]
        assert (last.overall["progress"], last.overall["state"]["job_count"]) == (0, 0)
        ids = [poll.tasks[task_id]["id_live_preview"] for poll in kind[:-1]]
        assert {number > 0 for number in ids} == {False, True}


@pytest.mark.parametrize("name", UNDISTURBED)
async def test_same_jobs_and_step_counts_are_seen(name: str, http: aiohttp.ClientSession) -> None:
    body = request_of(name)
    async with watching(http, body["force_task_id"]) as polls:
        await run(http, body)
    seen = []
    for kind in (polls, recorded_polls(name)):
        states = [poll.overall["state"] for poll in kind]
        busy = [state for state in states if state["job_count"] > 0 and state["sampling_step"]]
        seen.append(
            (
                {(s["job"], s["job_count"], s["job_no"], s["sampling_steps"]) for s in busy},
                (states[-1]["job"], states[-1]["job_no"], states[-1]["sampling_steps"]),
            )
        )
    assert seen[0] == seen[1]


async def test_second_pass_has_larger_previews_with_higher_ids(http: aiohttp.ClientSession) -> None:
    body = request_of("03_hires_two_jobs")
    async with watching(http, body["force_task_id"]) as polls:
        await run(http, body)
    sizes = [image.size for image in images_of(polls, body["force_task_id"])]
    assert sizes[0] == (8, 8)
    assert sizes[-1] == (16, 16)


async def test_loading_shows_job_count_minus_one(http: aiohttp.ClientSession) -> None:
    async with watching(http, "x") as polls:
        await run(http, {"force_task_id": "x", "steps": 2, "width": 64, "height": 64})
    loading = [poll.overall for poll in polls if poll.overall["state"]["job_count"] == -1]
    assert loading
    assert {answer["progress"] for answer in loading} == {0.01}
    assert loading[-1]["eta_relative"] > loading[0]["eta_relative"]
    assert list(broken_rules(polls)) == []


@pytest.mark.parametrize(
    ("options", "steps", "expected"),
    [
        ({"show_progress_every_n_steps": 10}, 9, False),
        ({"show_progress_every_n_steps": 10}, 14, True),
        ({"show_progress_every_n_steps": 2}, 4, True),
        ({"show_progress_every_n_steps": -1}, 6, False),
        ({"live_previews_enable": False}, 6, False),
    ],
)
async def test_previews_come_as_the_options_say(
    options: dict[str, object], steps: int, expected: bool, http: aiohttp.ClientSession
) -> None:
    await http.post("/sdapi/v1/options", json=options)
    async with watching(http, "x") as polls:
        await run(http, {"force_task_id": "x", "steps": steps, "width": 64, "height": 64})
    assert bool(images_of(polls, "x")) is expected
    assert any(poll.overall["current_image"] for poll in polls) is expected


async def test_forge_option_for_previews_can_be_the_real_default() -> None:
    options = SimulatorOptions(preview_every_n_steps=10)
    async with Simulator(options).serving() as simulator, session_for(simulator) as http:
        shown = await (await http.get("/sdapi/v1/options")).json()
    assert shown["show_progress_every_n_steps"] == 10


async def test_previews_are_made_by_the_polls_only(http: aiohttp.ClientSession) -> None:
    body = {"force_task_id": "x", "steps": 12, "width": 64, "height": 64}
    waiting = asyncio.create_task(run(http, body))

    async def half_done() -> bool:
        request = {"id_task": "x", "live_preview": False}
        async with http.post("/internal/progress", json=request) as response:
            return ((await response.json())["progress"] or 0) >= 0.5

    await until(half_done)
    assert (await of_task(http, "x"))["id_live_preview"] == 1
    await waiting


async def test_image_can_be_left_out_of_the_poll(http: aiohttp.ClientSession) -> None:
    waiting = asyncio.create_task(run(http, {"steps": 10, "width": 64, "height": 64}))
    await until(lambda: has_steps(http, 3))
    async with http.get("/sdapi/v1/progress?skip_current_image=true") as response:
        short = await response.json()
    assert short["state"]["job_count"] == 1
    assert short["current_image"] is None
    assert (await overall(http))["current_image"]
    await waiting


async def test_three_waiting_tasks_are_numbered(http: aiohttp.ClientSession) -> None:
    body = {"steps": 5, "width": 64, "height": 64}
    ids = ["qA", "qB", "qC"]
    waiting = []
    for task_id in ids:
        waiting.append(asyncio.create_task(run(http, {**body, "force_task_id": task_id})))
        await until(functools.partial(_is_known, http, task_id))
    texts = [(await of_task(http, task_id))["textinfo"] for task_id in ids]
    assert texts == [None, "In queue: 1/2", "In queue: 2/2"]
    async with http.get("/internal/pending-tasks") as response:
        assert await response.json() == {"size": 2, "tasks": ["qB", "qC"]}
    await asyncio.gather(*waiting)
    assert [(await of_task(http, task_id))["completed"] for task_id in ids] == [True] * 3


async def test_only_the_last_sixteen_tasks_stay_completed(http: aiohttp.ClientSession) -> None:
    for number in range(17):
        body = {"steps": 1, "width": 64, "height": 64, "force_task_id": f"t{number}"}
        await run(http, body)
    first, second = await of_task(http, "t0"), await of_task(http, "t1")
    assert (first["completed"], second["completed"]) == (False, True)


async def _is_known(http: aiohttp.ClientSession, task_id: str) -> bool:
    answer = await of_task(http, task_id)
    return bool(answer["active"] or answer["queued"])
