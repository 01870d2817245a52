"""Tests of `app/web/queue_routes.py`: interrupting and retrying, as recorded."""

import pytest

from app.accounts.roles import Role
from app.jobs.models import Job, JobStatus
from app.simulator import Fault
from tests.contract import compare, exchange
from tests.running import SUPERUSER_TOKEN, RunningNavigator


@pytest.mark.parametrize("number", [204, 205, 363])
async def test_interrupting_nothing_is_refused_as_recorded(
    server: RunningNavigator, token: str, number: int
) -> None:
    recorded = exchange(number)
    answer = await server.replay(recorded, token=None if number == 204 else token)
    compare(recorded, answer.status, answer.json)


@pytest.mark.parametrize("job_id", ["x" * 65, "x" * 5000, "%00", "%F0%9F%A6%8A", "a%0Ab", "..%5C"])
async def test_absurd_ids_are_404(server: RunningNavigator, token: str, job_id: str) -> None:
    for verb in ("interrupt", "retry"):
        answer = await server.post(f"/api/queue/{verb}/{job_id}", token=token)
        assert (answer.status, answer.json["error"]) == (404, "Task not found")


async def test_waiting_job_is_removed_as_recorded(slow_server: RunningNavigator) -> None:
    token = await slow_server.login()
    first, second, third = [await slow_server.submit(token) for _ in range(3)]
    answer = await slow_server.post(f"/api/queue/interrupt/{second['job_id']}", token=token)
    compare(exchange(212), answer.status, answer.json)
    recorded = exchange(213)
    again = await slow_server.replay(
        recorded, token=token, path=f"/api/queue/interrupt/{second['job_id']}"
    )
    gone = "it was still queued then, a defect"
    but = {"status": gone, "message": gone}
    compare(recorded, again.status, again.json | {"status": "removed"}, but=but)
    assert (again.status, again.json["error_code"]) == (404, "TASK_NOT_FOUND")
    await slow_server.finished(first["job_id"])
    await slow_server.finished(third["job_id"])
    assert (await Job.get(id=second["job_id"])).status == JobStatus.CANCELLED
    assert (await slow_server.get(f"/api/images/{second['job_id']}")).status == 404


async def test_running_job_is_interrupted_as_recorded(slow_server: RunningNavigator) -> None:
    token = await slow_server.login()
    async with slow_server.listening(token) as heard:
        job_id = (await slow_server.submit(token, steps=150))["job_id"]
        await heard.event("task-progress", job_id)
        recorded = exchange(208)
        path = f"/api/queue/interrupt/{job_id}"
        answer = await slow_server.replay(recorded, token=token, path=path)
        compare(recorded, answer.status, answer.json)
        finished = await heard.event("task-finished", job_id)
        told = await heard.event("task-interrupted", job_id)
    assert told.keys() - recorded.events["task-interrupted"].keys() == {"hrf_steps"}
    assert recorded.events["task-interrupted"].keys() - told.keys() == set()
    assert told["status"] == "processing"
    assert finished["img_path"] == f"/api/images/{job_id}"
    assert (await slow_server.get(finished["img_path"])).status == 200
    assert (await Job.get(id=job_id)).status == JobStatus.CANCELLED
    assert slow_server.forge is not None
    assert slow_server.forge.interrupts == 1


async def test_refusal_for_a_foreign_job_differs_from_the_recorded_one(
    slow_server: RunningNavigator,
) -> None:
    owner, other = await slow_server.add_user("owner"), await slow_server.add_user("other")
    job_id = (await slow_server.submit(owner, steps=150))["job_id"]
    await slow_server.reached(job_id, JobStatus.RUNNING)
    recorded = exchange(207)
    answer = await slow_server.replay(recorded, token=other, path=f"/api/queue/interrupt/{job_id}")
    missing = "foreign and missing look alike"
    compare(recorded, answer.status, answer.json, but={"status": missing, "error": missing})


async def test_foreign_jobs_look_as_if_they_were_missing(slow_server: RunningNavigator) -> None:
    owner = await slow_server.add_user("owner")
    other = await slow_server.add_user("other", Role.ARTIFICER)
    running, waiting = [await slow_server.submit(owner, steps=150) for _ in range(2)]
    await slow_server.reached(running["job_id"], JobStatus.RUNNING)
    for verb in ("interrupt", "retry"):
        for job in (running, waiting):
            answer = await slow_server.post(f"/api/queue/{verb}/{job['job_id']}", token=other)
            assert (answer.status, answer.json["error"]) == (404, "Task not found")
    architect = await slow_server.add_user("architect", Role.ARCHITECT)
    path = f"/api/queue/interrupt/{waiting['job_id']}"
    assert (await slow_server.post(path, token=architect)).status == 200
    path = f"/api/queue/interrupt/{running['job_id']}"
    answer = await slow_server.post(path, headers={"Authorization": SUPERUSER_TOKEN})
    assert answer.json == exchange(208).answer


async def test_finished_job_cannot_be_interrupted_or_retried(
    server: RunningNavigator, token: str
) -> None:
    job_id = await server.picture(token)
    answer = await server.post(f"/api/queue/interrupt/{job_id}", token=token)
    assert (answer.status, answer.json["error_code"]) == (404, "TASK_NOT_FOUND")
    answer = await server.post(f"/api/queue/retry/{job_id}", token=token)
    assert (answer.status, answer.json["error_code"]) == (409, "CONFLICT")
    assert "succeeded" in answer.json["error"]


async def test_failed_job_is_retried_with_the_same_parameters(
    server: RunningNavigator, token: str
) -> None:
    assert server.forge is not None
    server.forge.inject(Fault.http_500("/sdapi/v1/txt2img", times=3))
    async with server.listening(token) as heard:
        accepted = await server.submit(token, seed=5)
        job_id = accepted["job_id"]
        failed = await heard.event("task-failed", job_id)
        assert failed["error"]
        await server.reached(job_id, JobStatus.FAILED)
        for spelling in (job_id.upper(), f"{job_id}x"):
            assert (await server.post(f"/api/queue/retry/{spelling}", token=token)).status == 404
        answer = await server.post(f"/api/queue/retry/{job_id}", token=token)
        assert answer.status == 200
        # Either answer may have been written while Forge was in trouble.
        ignored = {"waiting_reason", "upscaler_name"}
        again, before = (
            {name: value for name, value in job.items() if name not in ignored}
            for job in (answer.json, accepted)
        )
        assert again == before
        await heard.event("task-finished", job_id, timeout_s=15)
    assert (await server.get(f"/api/images/{job_id}")).status == 200
    assert len(server.forge.requests) == 1
