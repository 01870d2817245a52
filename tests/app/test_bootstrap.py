"""Tests of `app/bootstrap.py`: the whole house, and what it does when a neighbour goes away."""

import asyncio
import inspect
import threading
from pathlib import Path

import pytest

from app.accounts.caller import DEMO_CODE
from app.accounts.models import User
from app.accounts.roles import Role
from app.bootstrap import navigator
from app.bootstrap_database import MODEL_MODULES
from app.database.connection import opened
from app.generation.models import Image
from app.jobs.models import Job, JobStatus
from app.setting_types import DatabaseLocation
from app.settings import Settings
from app.simulator import Fault, SimulatorOptions
from tests import databases
from tests.databases import PrivateMariadb, free_port
from tests.listening import Refused
from tests.running import (
    JOB_PATH,
    SLOW,
    RunningNavigator,
    running_navigator,
)
from tests.waiting import until

BODY = {"model_name": "dreamModel_v1", "prompt": "a fox", "width": 64, "height": 64}


def test_every_module_of_models_is_opened_everywhere() -> None:
    assert MODEL_MODULES == databases.MODEL_MODULES
    root = Path(__file__).parents[2]
    found = {
        ".".join(p.relative_to(root).with_suffix("").parts) for p in root.glob("app/*/models.py")
    }
    assert set(MODEL_MODULES) == found


async def test_prompt_becomes_a_picture_on_either_database(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> None:
    async with running_navigator(tmp_path, database=new_database_location, forge=SLOW) as server:
        token = await server.login()
        async with server.listening(token) as heard:
            accepted = await server.submit(token, prompt="a \U0001f98a in “quotes”", steps=20)
            job_id = accepted["job_id"]
            told = await heard.event("task-finished", job_id)
        assert (await server.get(told["img_path"])).content.startswith(b"\x89PNG")
        info = (await server.get(f"{told['img_path']}/info", token=token)).json
        assert info["info"].startswith("a \U0001f98a in “quotes”")
        assert info["parameters"]["owner_id"] == "demo_user"
        assert info["parameters"]["distilled_cfg"] == 3.5
        answer = await server.post(JOB_PATH, BODY | {"job_id": job_id}, token=token)
        assert answer.status == 409
        for absent in ("%00", "x" * 64, job_id.upper(), "%C3%A4", f"{job_id}%20"):
            assert (await server.get(f"/api/images/{absent}")).status == 404


async def test_everything_accepted_survives_a_restart(
    new_database_location: DatabaseLocation, tmp_path: Path
) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    async with running_navigator(tmp_path, database=new_database_location, forge=gone) as server:
        token = await server.login()
        jobs = [(await server.submit(token, seed=n))["job_id"] for n in range(5)]
    async with running_navigator(tmp_path, database=new_database_location) as server:
        await server.finished(jobs[-1])
        assert server.forge is not None
        bodies = [request.body for request in server.forge.requests]
        assert [body["seed"] for body in bodies if isinstance(body, dict)] == list(range(5))
        # The secret is kept, so the token of before still counts.
        assert (await server.get("/api/user/me", token=token)).status == 200


async def test_database_may_go_and_come_back(
    stoppable_mariadb: PrivateMariadb, tmp_path: Path
) -> None:
    stoppable_mariadb.sql("CREATE DATABASE navigator")
    location = stoppable_mariadb.location("navigator")
    async with running_navigator(tmp_path, database=location, forge=SLOW) as server:
        token = await server.login()
        picture = await server.picture(token, steps=1)
        running = (await server.submit(token, steps=30))["job_id"]
        waiting = (await server.submit(token, steps=1))["job_id"]
        await server.reached(running, JobStatus.RUNNING)
        stoppable_mariadb.stop()
        await until(lambda: _is_refused_with_503(server, token), timeout_s=15)
        assert (await server.get("/")).status == 200
        assert (await server.get("/api/models")).status == 200
        stoppable_mariadb.start()
        await server.finished(running)
        await server.finished(waiting)
        assert (await server.get(f"/api/images/{picture}")).status == 200
        assert (await server.submit(token))["queue_size"] >= 1
        assert await Job.filter(attempts__gt=0).count() == 0
        assert await Image.filter(id__in=[picture, running, waiting]).count() == 3


async def _is_refused_with_503(server: RunningNavigator, token: str) -> bool:
    """Whether every route that needs the database says that it is away."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for method, path, body in (
        ("GET", "/api/user/me", None),
        ("POST", "/api/auth/login", b'{"code":"DEMO_USER"}'),
        ("POST", JOB_PATH, b'{"model_name":"dreamModel_v1","prompt":"a fox"}'),
        ("POST", "/api/queue/interrupt/somejobid", b"{}"),
        ("GET", "/api/images/somejobid", None),
        ("GET", "/api/images/somejobid/info", None),
    ):
        answer = await server.request(method, path, headers=headers, data=body)
        if answer.status != 503:
            return False
        assert answer.json["error_code"] == "DATABASE_UNAVAILABLE"
        assert "database" in answer.json["error"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    with pytest.raises(Refused, match="The database does not answer"):
        async with server.listening(token):
            pass
    return True


async def test_forge_may_go_and_come_back(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=SLOW) as server:
        assert server.forge is not None
        token = await server.login()
        running = (await server.submit(token, steps=100))["job_id"]
        waiting = (await server.submit(token, steps=1))["job_id"]
        await until(lambda: server.forge and server.forge.active_task)
        await server.forge.restart()
        await server.finished(waiting)
        job = await Job.get(id=running)
        assert (job.status, job.attempts, job.runs) == (JobStatus.SUCCEEDED, 1, 2)


async def test_setting_of_attempts_counts(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=SLOW, JOB_ATTEMPTS="1") as server:
        assert server.forge is not None
        server.forge.inject(Fault.http_500("/sdapi/v1/txt2img"))
        job_id = (await server.submit(await server.login()))["job_id"]
        await server.reached(job_id, JobStatus.FAILED)
        assert "Forge answered 500" in str((await Job.get(id=job_id)).error)


async def test_setting_of_patience_counts(tmp_path: Path) -> None:
    async with running_navigator(
        tmp_path, forge=SLOW, JOB_ATTEMPTS="1", JOB_STALL_MINUTES="0.002"
    ) as server:
        assert server.forge is not None
        server.forge.inject(Fault.hang())
        job_id = (await server.submit(await server.login()))["job_id"]
        await server.reached(job_id, JobStatus.FAILED)
        assert "no progress" in str((await Job.get(id=job_id)).error)
        assert server.navigator.health.restart_wanted
        server.forge.clear_faults()


async def test_forge_that_wants_a_password_gets_it(tmp_path: Path) -> None:
    options = SimulatorOptions(0, 0, draw=False, api_auth="friend:pass:word")
    async with running_navigator(tmp_path, forge=options, SD_API_AUTH="friend:pass:word") as server:
        await server.picture(await server.login())
    async with running_navigator(
        tmp_path, forge=options, wait_for_forge=False, SD_API_AUTH="friend:wrong"
    ) as server:
        await until(lambda: "SD_API_AUTH" in str(server.navigator.health.reason))


async def test_system_users_are_made_once_and_left_alone(tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    async with running_navigator(tmp_path, forge=gone):
        assert set(await User.all().values_list("id", "role")) == {
            ("superuser", Role.APEX),
            ("demo_user", Role.ARTIFICER),
        }
        await User.filter(id="demo_user").update(role=Role.NONE)
    async with running_navigator(tmp_path, forge=gone) as server:
        refused = await server.post("/api/auth/login", {"code": DEMO_CODE})
        assert (refused.status, refused.json["error_code"]) == (403, "USER_DISABLED")


async def test_everything_that_was_opened_is_closed(tmp_path: Path) -> None:
    threads = threading.active_count()
    async with running_navigator(tmp_path) as server:
        async with server.listening(await server.login()):
            await server.picture(await server.login())
        location = server.settings.database
    assert _tasks_of_ours() == []
    # The loop keeps the threads of its pool.
    await until(lambda: _threads_beside_the_pool() <= threads)
    async with opened(location, MODEL_MODULES):
        assert await Image.all().count() == 1


def _tasks_of_ours() -> list[str]:
    """The coroutines of the app that still run."""
    coroutines = [task.get_coro() for task in asyncio.all_tasks()]
    code = [c.cr_code for c in coroutines if inspect.iscoroutine(c)]
    return [one.co_qualname for one in code if "/app/" in one.co_filename.partition("/tests/")[0]]


def _threads_beside_the_pool() -> int:
    return sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate())


async def test_failing_start_closes_what_was_opened(tmp_path: Path) -> None:
    (tmp_path / "images").write_text("a file in the way")
    settings = Settings.load({}, data_dir=tmp_path, working_dir=tmp_path)
    with pytest.raises(OSError, match="images"):
        async with navigator(settings):
            pass
    assert _tasks_of_ours() == []
    (tmp_path / "images").unlink()
    async with navigator(settings) as ours:
        assert not ours.health.is_ready
