"""Tests of `app/web/admin_status_routes.py`: the status, and pausing, resuming, freeing the GPU."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tortoise import connections

from app import __version__
from app.accounts.models import User
from app.accounts.roles import Approval, Role
from app.jobs.models import JobStatus
from app.setting_types import DatabaseLocation
from app.simulator import Fault
from tests.databases import free_port
from tests.running import CHECKPOINT, SLOW, RunningNavigator, running_navigator
from tests.waiting import until

STATUS = "/api/admin/status"
PAUSE = "/api/admin/queue/pause"
RESUME = "/api/admin/queue/resume"
UNLOAD = "/api/admin/forge/unload"


async def administrator(server: RunningNavigator) -> str:
    return await server.add_user("the-owner", Role.ARCHITECT)


async def status(server: RunningNavigator, token: str) -> Any:
    answer = await server.get(STATUS, token=token)
    assert answer.status == 200, answer.content
    return answer.json


async def freeing(server: RunningNavigator, token: str, state: str) -> Any:
    """What is told of freeing the GPU, once it is in this state."""

    async def told() -> Any:
        found = (await status(server, token))["queue"]["freeing"]
        return found if found and found["state"] == state else None

    await until(told)
    return await told()


@pytest.mark.parametrize("role", [Role.APPRENTICE, Role.ARTIFICER])
async def test_friends_are_refused(server: RunningNavigator, role: Role) -> None:
    token = await server.add_user("friend", role)
    assert (await server.get(STATUS, token=token)).status == 403
    for path in (PAUSE, RESUME, UNLOAD):
        answer = await server.post(path, {}, token=token)
        assert (answer.status, answer.json["error_code"]) == (403, "FORBIDDEN")


async def test_status_of_an_idle_navigator(server: RunningNavigator) -> None:
    token = await administrator(server)
    told = await status(server, token)
    forge = told["forge"]
    assert (forge["status"], forge["error"], forge["restart_wanted"]) == ("ready", None, None)
    assert datetime.fromisoformat(forge["since"]) <= datetime.now(UTC)
    assert (forge["checkpoint"], forge["version"]) == (None, None)
    queue = told["queue"]
    assert (queue["waiting"], queue["running"], queue["paused"]) == (0, None, False)
    assert (queue["resumes_at"], queue["freeing"], queue["waiting_reason"]) == (None, None, None)
    assert told["downloads"] == {"running": 0, "waiting": 0, "finished": []}
    assert told["waiting_friends"] == 0
    assert 0 < told["disk"]["free_bytes"] <= told["disk"]["total_bytes"]
    assert told["versions"]["navigator"] == __version__
    assert told["versions"]["python"].startswith("3.")
    assert told["uptime_s"] >= 0


async def test_status_tells_what_was_loaded_and_drawn_last(server: RunningNavigator) -> None:
    token = await administrator(server)
    await server.picture(token)
    forge = (await status(server, token))["forge"]
    assert (forge["checkpoint"], forge["modules"]) == (CHECKPOINT, [])
    assert forge["version"].startswith("f2.")


async def test_status_tells_what_runs_and_waits(slow_server: RunningNavigator) -> None:
    token = await administrator(slow_server)
    friend = await slow_server.add_user("friend")
    running = await slow_server.submit(friend, steps=150)
    await slow_server.submit(friend)

    async def progress() -> Any:
        found = (await status(slow_server, token))["queue"]["running"]
        return found and found["progress"]

    await until(progress)
    queue = (await status(slow_server, token))["queue"]
    assert queue["waiting"] == 1
    told = queue["running"]
    assert (told["job_id"], told["owner_id"]) == (running["job_id"], "friend")
    assert (told["type"], 0 < told["progress"] <= 1) == ("txt2img", True)


async def test_those_who_knock_are_counted(server: RunningNavigator) -> None:
    token = await administrator(server)
    await User.create(id="stranger", approval=Approval.PENDING, knocked_at=datetime.now(UTC))
    assert (await status(server, token))["waiting_friends"] == 1


async def test_status_answers_while_forge_is_away(tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    async with running_navigator(tmp_path, forge=gone) as server:
        token = await administrator(server)
        await until(lambda: server.navigator.health.last_trouble)
        forge = (await status(server, token))["forge"]
    assert (forge["status"], forge["error"]) == ("away", "Forge does not answer.")
    assert forge["last_error"] == "Forge does not answer."
    assert forge["checkpoint"] is None


async def test_status_answers_though_a_part_of_it_fails(server: RunningNavigator) -> None:
    token = await administrator(server)
    await status(server, token)  # who calls is known for a moment
    await connections.get("default").execute_query("ALTER TABLE account RENAME TO elsewhere")
    told = await status(server, token)
    assert (told["waiting_friends"], told["forge"]["status"]) == (None, "ready")


async def test_paused_queue_says_so_and_goes_on_when_it_is_resumed(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> None:
    async with running_navigator(tmp_path, database=new_database_location) as server:
        token = await administrator(server)
        paused = (await server.post(PAUSE, {}, token=token)).json
        assert (paused["paused"], paused["resumes_at"]) == (True, None)
        assert (await server.post(PAUSE, token=token)).json == paused
        job = await server.submit(token)
        assert job["waiting_reason"] == "The owner has paused the queue."
        queue = (await server.get("/api/queue", token=token)).json
        assert queue["waiting_reason"] == "The owner has paused the queue."
        told = (await status(server, token))["queue"]
        assert (told["paused"], told["paused_at"]) == (True, paused["paused_at"])
    async with running_navigator(tmp_path, database=new_database_location) as server:
        assert (await status(server, token))["queue"]["paused_at"] == paused["paused_at"]
        await server.reached(job["job_id"], JobStatus.QUEUED)
        for _ in range(2):
            resumed = await server.post(RESUME, token=token)
            expected = {"paused": False, "paused_at": None, "resumes_at": None}
            assert (resumed.status, resumed.json) == (200, expected)
        await server.finished(job["job_id"])
        assert "waiting_reason" not in await server.submit(token)


async def test_pause_comes_before_forge_in_what_waiting_jobs_are_told(tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    async with running_navigator(tmp_path, forge=gone) as server:
        token = await administrator(server)
        paused = (await server.post(PAUSE, {"minutes": 30}, token=token)).json
        reason = (await server.submit(token))["waiting_reason"]
        resumes_at = datetime.fromisoformat(paused["resumes_at"])
        assert reason == f"The owner has paused the queue until {resumes_at:%Y-%m-%d %H:%M} UTC."
        length = resumes_at - datetime.fromisoformat(paused["paused_at"])
        assert length.total_seconds() == 1800
        await server.post(RESUME, token=token)
        assert "Forge" in (await server.submit(token))["waiting_reason"]


async def test_timed_pause_ends_by_itself(server: RunningNavigator) -> None:
    token = await administrator(server)
    assert (await server.post(PAUSE, {"minutes": 0.002}, token=token)).status == 200
    await server.picture(token)
    assert not (await status(server, token))["queue"]["paused"]


@pytest.mark.parametrize("minutes", [0, -1, 10081, 1e300, True, "soon", [], {}])
@pytest.mark.parametrize("path", [PAUSE, UNLOAD])
async def test_minutes_that_make_no_sense_are_refused_by_name(
    server: RunningNavigator, path: str, minutes: object
) -> None:
    token = await administrator(server)
    answer = await server.post(path, {"minutes": minutes}, token=token)
    assert (answer.status, "minutes" in answer.json["error"]) == (400, True)
    assert not (await status(server, token))["queue"]["paused"]


@pytest.mark.parametrize("minutes", [10080, 0.5, "30", None])
async def test_minutes_that_make_sense_are_taken(server: RunningNavigator, minutes: object) -> None:
    token = await administrator(server)
    answer = await server.post(PAUSE, {"minutes": minutes}, token=token)
    assert (answer.status, answer.json["paused"]) == (200, True)
    assert (answer.json["resumes_at"] is None) == (minutes is None)


async def test_freeing_the_gpu_waits_for_the_running_job_and_is_told(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=SLOW) as server:
        assert server.forge is not None
        token = await administrator(server)
        job_id = (await server.submit(token, steps=60))["job_id"]
        await until(lambda: server.forge and server.forge.requests)
        answer = await server.post(UNLOAD, {"minutes": 60}, token=token)
        assert (answer.status, answer.json["paused"]) == (202, True)
        assert answer.json["resumes_at"] is not None
        assert answer.json["freeing"]["state"] == "freeing"
        assert answer.json["freeing"]["waits_for"] == f"Job {job_id} is still running."
        told = await freeing(server, token, "freed")
        assert told == {"state": "freed", "waits_for": None, "error": None, "gpu": None}
        await server.finished(job_id)
        assert server.forge.unloads_during == []
        assert (await status(server, token))["forge"]["checkpoint"] is None
        await server.post(RESUME, token=token)
        assert (await status(server, token))["queue"]["freeing"] is None
        async with server.listening(token) as heard:
            again = (await server.submit(token))["job_id"]
            await heard.event("task-finished", again)
            assert "model-changed" in heard.names(again)


@pytest.mark.parametrize(("minutes", "is_on"), [("60", True), ("-1", False)])
async def test_status_tells_when_an_idle_checkpoint_is_unloaded(
    tmp_path: Path, minutes: str, is_on: bool
) -> None:
    async with running_navigator(tmp_path, CHECKPOINT_UNLOAD_INTERVAL=minutes) as server:
        token = await administrator(server)
        begun_at = datetime.now(UTC)
        await server.picture(token)

        async def told() -> Any:
            return (await status(server, token))["forge"]["unloads_at"]

        if is_on:
            await until(told)
            left = datetime.fromisoformat(await told()) - begun_at
            assert left.total_seconds() >= 3600
        else:
            assert await told() is None
        assert (await status(server, token))["forge"]["unloaded_at"] is None
        await server.post(UNLOAD, {}, token=token)
        await freeing(server, token, "freed")
        forge = (await status(server, token))["forge"]
        assert (forge["unloads_at"], forge["unloaded_at"] is None) == (None, False)


async def test_forge_that_cannot_free_the_gpu_is_told(server: RunningNavigator) -> None:
    assert server.forge is not None
    token = await administrator(server)
    server.forge.inject(Fault.http_500("/sdapi/v1/unload-checkpoint"))
    await server.post(UNLOAD, {}, token=token)
    told = await freeing(server, token, "failed")
    assert "Forge answered 500" in told["error"]
    assert (await status(server, token))["queue"]["paused"]
