"""Tests of `app/web/realtime.py`: who hears what over socket.io, and how it looks."""

import contextlib
from typing import Any

import pytest

from app.simulator import Fault
from tests.contract import exchange
from tests.running import CHECKPOINT, JOB_PATH, OTHER_CHECKPOINT, RunningNavigator
from tests.waiting import until


@pytest.mark.parametrize("number", [139, 140])
async def test_events_have_the_recorded_keys_and_kinds(
    slow_server: RunningNavigator, number: int
) -> None:
    recorded = exchange(number)
    token = await slow_server.add_user("100000000000000001")
    body = {key: value for key, value in recorded.body.items() if key != "categoryId"}
    async with slow_server.listening() as heard:
        answer = await slow_server.post(JOB_PATH, body, token=token)
        job_id = answer.json["job_id"]
        await heard.event("task-finished", job_id)
        assert heard.names(job_id) == list(recorded.events)
        for name, payload in heard.of(job_id):
            expected = recorded.events[name]
            assert payload.keys() == expected.keys() - {"categoryId"}, name
            ours = {"job_id", "origin", "seed", "upscaler_name", "progress", "eta_relative"}
            ours |= {"current_step", "progress_path", "img_path", "categoryId"}
            assert {k: v for k, v in payload.items() if k not in ours} == {
                k: v for k, v in expected.items() if k not in ours
            }


async def test_progress_counts_up_to_the_steps(slow_server: RunningNavigator) -> None:
    token = await slow_server.login()
    async with slow_server.listening(token) as heard:
        job_id = (await slow_server.submit(token, steps=60))["job_id"]
        finished = await heard.event("task-finished", job_id)
    told = [payload for name, payload in heard.of(job_id) if name == "task-progress"]
    assert len(told) > 3
    assert [p["progress"] for p in told] == sorted(p["progress"] for p in told)
    assert all(0 <= p["progress"] <= 1 and p["eta_relative"] >= 0 for p in told)
    assert all(0 <= p["current_step"] <= p["total_steps"] == 60 for p in told)
    assert {p["progress_path"] for p in told} == {f"/api/previews/{job_id}"}
    assert isinstance(finished["seed"], int)
    assert finished["seed"] >= 0


async def test_failed_job_is_told_with_its_reason(server: RunningNavigator, token: str) -> None:
    assert server.forge is not None
    server.forge.inject(Fault.http_500("/sdapi/v1/txt2img", times=3))
    async with server.listening(token) as heard:
        job_id = (await server.submit(token))["job_id"]
        failed = await heard.event("task-failed", job_id)
    # Recorded with the status "processing", a defect.
    assert failed["status"] == "failed"
    assert isinstance(failed["error"], str)
    assert failed["error"]
    recorded = exchange(168).events["task-failed"]
    assert failed.keys() == recorded.keys()


async def test_prompt_size_and_owner_are_never_in_an_event(
    server: RunningNavigator, token: str
) -> None:
    async with server.listening() as heard:
        job_id = (await server.submit(token, prompt="SECRETFOX", negative_prompt="SECRETOWL"))[
            "job_id"
        ]
        await heard.event("task-finished", job_id)
    assert "SECRET" not in str(heard.events)
    hidden = {"prompt", "negative_prompt", "owner_id", "width", "height", "queue_size"}
    assert all(not (payload.keys() & hidden) for _, payload in heard.of(job_id))


async def test_model_changed_comes_only_when_something_else_is_loaded(
    server: RunningNavigator, token: str
) -> None:
    jobs: list[dict[str, Any]] = [
        {},
        {},
        {"model_name": OTHER_CHECKPOINT},
        {"model_name": OTHER_CHECKPOINT, "modules": ["ae.safetensors"]},
        {"model_name": OTHER_CHECKPOINT, "modules": ["ae.safetensors"]},
        {"model_name": CHECKPOINT},
    ]
    async with server.listening(token) as heard:
        told = []
        for parameters in jobs:
            job_id = (await server.submit(token, **parameters))["job_id"]
            await heard.event("task-finished", job_id)
            told.append([p["model_name"] for n, p in heard.of(job_id) if n == "model-changed"])
    once, other = [CHECKPOINT], [OTHER_CHECKPOINT]
    assert told == [once, [], other, other, [], once]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("realtime", [False, True])
async def test_both_ports_and_transports_tell_the_same(
    server: RunningNavigator, token: str, transport: str, realtime: bool
) -> None:
    async with server.listening(token, realtime=realtime, transport=transport) as heard:
        await until(lambda: heard.events)
        assert heard.events == [
            (
                "connected",
                {"message": "Welcome aboard! We're navigating uncharted territories together."},
            )
        ]
        job_id = (await server.submit(token))["job_id"]
        await heard.event("task-finished", job_id)
        assert heard.names(job_id)[0] == "task-started"
        assert heard.names(job_id)[-1] == "task-finished"


async def test_picture_can_be_fetched_when_its_event_comes(
    server: RunningNavigator, token: str
) -> None:
    async with server.listening(token) as heard:
        for _ in range(10):
            job_id = (await server.submit(token))["job_id"]
            path = (await heard.event("task-finished", job_id))["img_path"]
            assert (await server.get(path)).status == 200


async def test_many_sockets_hear_the_same_in_the_same_order(
    server: RunningNavigator, token: str
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(server.listening(token)) for _ in range(30)]
        jobs = [(await server.submit(token))["job_id"] for _ in range(5)]
        for listener in listeners:
            for job_id in jobs:
                await listener.event("task-finished", job_id)
        told = [[each for each in one.events if each[0] != "connected"] for one in listeners]
        assert told == [told[0]] * len(listeners)
        started = [payload["job_id"] for name, payload in told[0] if name == "task-started"]
        assert started == jobs
