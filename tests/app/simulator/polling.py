"""Polls of a run's progress: recorded ones and our own, in one shape."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.app.simulator.recording import series

OVERALL = "GET /sdapi/v1/progress"
OF_TASK = "POST /internal/progress "


@dataclass
class Poll:
    """What both routes answered at one moment."""

    overall: dict[str, Any]
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)


def recorded_polls(name: str) -> list[Poll]:
    return [
        Poll(
            entry[OVERALL],
            {
                key.removeprefix(OF_TASK): value
                for key, value in entry.items()
                if key.startswith(OF_TASK)
            },
        )
        for entry in series(name)["series"]
        if "event" not in entry
    ]


async def overall(http: aiohttp.ClientSession) -> dict[str, Any]:
    async with http.get("/sdapi/v1/progress") as response:
        body: dict[str, Any] = await response.json()
        return body


async def of_task(
    http: aiohttp.ClientSession, task_id: str, seen_preview: int = -1
) -> dict[str, Any]:
    request = {"id_task": task_id, "id_live_preview": seen_preview, "live_preview": True}
    async with http.post("/internal/progress", json=request) as response:
        body: dict[str, Any] = await response.json()
        return body


async def has_steps(http: aiohttp.ClientSession, steps: int, job_no: int = 0) -> bool:
    """Gives whether the run came that far. For `until()`."""
    state = (await overall(http))["state"]
    return bool(
        state["job_count"] > 0 and (state["job_no"], state["sampling_step"]) >= (job_no, steps)
    )


@contextlib.asynccontextmanager
async def watching(http: aiohttp.ClientSession, *task_ids: str) -> AsyncIterator[list[Poll]]:
    """Polls both routes all the time, as fast as they answer; a last time at the end."""
    polls: list[Poll] = []
    seen = dict.fromkeys(task_ids, -1)

    async def poll() -> None:
        one = Poll(await overall(http))
        for task_id in task_ids:
            one.tasks[task_id] = await of_task(http, task_id, seen[task_id])
            seen[task_id] = max(seen[task_id], one.tasks[task_id]["id_live_preview"])
        polls.append(one)

    async def keep_polling() -> None:
        while True:
            await poll()
            await asyncio.sleep(0.002)

    await poll()
    watcher = asyncio.create_task(keep_polling())
    try:
        yield polls
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher
    await poll()


def broken_rules(polls: list[Poll]) -> Iterator[str]:
    """Gives one line per poll that no Forge would answer (README of the recordings, 9)."""
    previous: dict[str, int] = {}
    for number, poll in enumerate(polls):
        for problem in _of_overall(poll.overall):
            yield f"poll {number}: {problem} in {poll.overall}"
        for task_id, answer in poll.tasks.items():
            for problem in _of_one_task(answer, previous.get(task_id, -1)):
                yield f"poll {number}: {problem} in {answer}"
            previous[task_id] = answer["id_live_preview"]


def _of_overall(answer: dict[str, Any]) -> Iterator[str]:
    state, done = answer["state"], answer["progress"]
    if state["job_count"] == 0:
        # A poll can see the last moment of a run: progress was read, then the run ended.
        if done == 0 and (answer["eta_relative"] != 0 or answer["current_image"] is not None):
            yield "idle with an eta or a preview"
        return
    expected = 0.01
    if state["job_count"] > 0:
        expected += state["job_no"] / state["job_count"]
        if state["sampling_steps"] > 0:
            expected += state["sampling_step"] / state["sampling_steps"] / state["job_count"]
    if abs(done - min(expected, 1)) > 1e-6:
        yield f"progress is not {expected}"
    if done >= 1:
        yield "progress of 1 is never shown"
    if state["sampling_steps"] and state["sampling_step"] >= state["sampling_steps"]:
        yield "the last step is never shown"
    if answer["textinfo"] is not None:
        yield "textinfo"


def _of_one_task(answer: dict[str, Any], previous_preview: int) -> Iterator[str]:
    if not answer["active"]:
        quiet = (answer["progress"], answer["eta"], answer["live_preview"])
        if quiet != (None, None, None) or answer["id_live_preview"] != -1:
            yield "an inactive task with progress"
        words = "In queue: " if answer["queued"] else "Waiting..."
        if not str(answer["textinfo"]).startswith(words):
            yield f"textinfo without {words}"
        return
    if not 0 <= answer["progress"] < 1 or answer["textinfo"] is not None:
        yield "an active task with odd progress or textinfo"
    if (answer["eta"] is None) != (answer["progress"] == 0):
        yield "eta is null exactly while progress is 0"
    if answer["live_preview"] is not None and answer["id_live_preview"] == previous_preview:
        yield "a preview without a new id"
