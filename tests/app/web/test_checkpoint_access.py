"""Tests of `app/web/checkpoint_access.py`: restricted checkpoints are for those with the role."""

import base64
from pathlib import Path
from typing import Any

import pytest

from app.accounts.models import User
from app.accounts.roles import Role
from app.jobs.models import Job, JobStatus
from app.library.models import KnownCheckpoint
from tests.app.generation.test_picture_input import PLAIN
from tests.databases import free_port
from tests.running import (
    CHECKPOINT,
    JOB_PATH,
    OTHER_CHECKPOINT,
    SUPERUSER_TOKEN,
    Answer,
    RunningNavigator,
    running_navigator,
)

PATH = "/api/admin/checkpoints"
BOSS = {"Authorization": SUPERUSER_TOKEN}


async def restrict(server: RunningNavigator, name: str = CHECKPOINT, **given: Any) -> None:
    body = {"model_name": name, "is_restricted": True} | given
    assert (await server.request("PATCH", PATH, json=body, headers=BOSS)).status == 200


async def submitted(server: RunningNavigator, token: str, name: str = CHECKPOINT) -> Answer:
    return await server.post(JOB_PATH, {"model_name": name, "prompt": "a fox"}, token=token)


async def seen(server: RunningNavigator, **options: Any) -> list[str]:
    models = (await server.get("/api/models", **options)).json["models"]
    return [item["model_name"] for item in models]


def is_refused(answer: Answer) -> bool:
    code = answer.json.get("error_code")
    return (answer.status, code) == (403, "CHECKPOINT_RESTRICTED") and str(
        answer.json["error"]
    ).startswith("model_name: ")


@pytest.mark.parametrize(("needed", "told"), [(2, 2), (3, 3), (None, 3), (4, 4)])
async def test_those_without_the_role_neither_see_nor_use_it(
    server: RunningNavigator, needed: int | None, told: int
) -> None:
    await restrict(server, required_role=needed)
    assert CHECKPOINT not in await seen(server)
    assert CHECKPOINT not in await seen(server, token="garbage")
    for role in (Role.APPRENTICE, Role.ARTIFICER, Role.ARCHITECT, Role.APEX):
        token = await server.add_user(role.name, role)
        may = role >= told
        assert (CHECKPOINT in await seen(server, token=token)) == may
        refreshed = await server.post("/api/models/refresh", token=token)
        names = [item["model_name"] for item in refreshed.json["models"]]
        assert (CHECKPOINT in names) == may
        answer = await submitted(server, token)
        assert answer.status == 200 if may else is_refused(answer)
    assert CHECKPOINT in await seen(server, headers=BOSS)


async def test_cookie_shows_no_restricted_checkpoint(server: RunningNavigator) -> None:
    await restrict(server, required_role=1)
    login = await server.post("/api/auth/login", {"code": "DEMO_USER"})
    cookie = login.headers["Set-Cookie"].partition(";")[0]
    assert CHECKPOINT not in await seen(server, headers={"Cookie": cookie})
    assert CHECKPOINT in await seen(server, token=login.json["token"])


async def test_every_spelling_of_it_is_refused(server: RunningNavigator, token: str) -> None:
    (item, *_) = (await server.get("/api/models")).json["models"]
    await restrict(server, friendly_name="Dream")
    spellings = ("Dream", item["title"], item["hash"], item["sha256"], f"{CHECKPOINT}.safetensors")
    for name in spellings:
        assert is_refused(await submitted(server, token, name)), name
    assert (await submitted(server, token, OTHER_CHECKPOINT)).status == 200


async def test_img2img_and_upscale_are_refused(server: RunningNavigator, token: str) -> None:
    picture = await server.picture(token)
    await restrict(server)
    body = {
        "model_name": CHECKPOINT,
        "prompt": "a fox",
        "init_image": base64.b64encode(PLAIN).decode(),
    }
    assert is_refused(await server.post("/api/queue/user/img2img", body, token=token))
    upscale = f"{JOB_PATH}/upscale-hrf/{picture}"
    assert is_refused(await server.post(upscale, {}, token=token))
    assert (await server.get(f"/api/images/{picture}")).status == 200


async def test_bots_prove_nobodys_role(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, ALLOW_LEGACY_BOT_ENDPOINTS="true") as server:
        await restrict(server, required_role=1)
        await server.add_user("1000001", Role.APEX)
        body = {"model_name": CHECKPOINT, "prompt": "a fox", "owner_id": "1000001"}
        assert is_refused(await server.post("/api/queue/txt2img", body))
        body["model_name"] = OTHER_CHECKPOINT
        assert (await server.post("/api/queue/txt2img", body)).status == 200


async def test_accepted_job_runs_on_and_its_retry_is_checked_anew(
    server: RunningNavigator,
) -> None:
    token = await server.add_user("friend", Role.ARTIFICER)
    await restrict(server, required_role=2)
    await server.post("/api/admin/queue/pause", headers=BOSS)
    jobs = [(await server.submit(token))["job_id"] for _ in range(2)]
    await restrict(server, required_role=3)
    await User.filter(id="friend").update(role=Role.APPRENTICE)
    await server.post("/api/admin/queue/resume", headers=BOSS)
    for job_id in jobs:
        await server.finished(job_id)
    await Job.filter(id=jobs[0]).update(status=JobStatus.FAILED)
    retry = f"/api/queue/retry/{jobs[0]}"
    assert is_refused(await server.post(retry, token=token))
    assert (await server.post(retry, headers=BOSS)).status == 200


async def test_unknown_name_is_refused_while_nobody_can_tell_whose_it_is(tmp_path: Path) -> None:
    async with running_navigator(tmp_path, forge=f"http://127.0.0.1:{free_port()}") as server:
        token = await server.add_user("friend")
        assert (await submitted(server, token)).status == 200
        await KnownCheckpoint.create(
            model_name=CHECKPOINT, friendly_name="Dream", is_restricted=True
        )
        await KnownCheckpoint.create(model_name=OTHER_CHECKPOINT)
        await restrict(server)
        for name in (CHECKPOINT, "Dream"):
            assert is_refused(await submitted(server, token, name))
        answer = await submitted(server, token, f"{CHECKPOINT}.safetensors")
        assert (answer.status, answer.json["error_code"]) == (503, "FORGE_UNAVAILABLE")
        assert answer.json["error"].startswith("model_name: ")
        assert (await submitted(server, token, OTHER_CHECKPOINT)).status == 200
        answer = await server.post(
            JOB_PATH, {"model_name": "anything", "prompt": "a fox"}, headers=BOSS
        )
        assert answer.status == 200
