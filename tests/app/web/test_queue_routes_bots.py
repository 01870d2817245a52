"""Tests of `app/web/queue_routes.py`: the routes of old bots, and one's own queue."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.accounts.models import User
from app.generation.models import Image
from tests.app.web.test_queue_routes_pictures import asked
from tests.contract import compare, exchange
from tests.running import CHECKPOINT, RunningNavigator, running_navigator

PLAIN = {"model_name": CHECKPOINT, "prompt": "a fox", "width": 64, "height": 64, "steps": 2}


@pytest.fixture
async def with_bots(tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    async with running_navigator(
        tmp_path, ALLOW_LEGACY_BOT_ENDPOINTS="true", TRUSTED_PROXIES="127.0.0.1"
    ) as running:
        yield running


@pytest.mark.parametrize("number", [202, 203])
async def test_bots_are_refused_as_recorded_while_they_are_off(
    server: RunningNavigator, number: int
) -> None:
    recorded = exchange(number)
    answer = await server.replay(recorded)
    compare(recorded, answer.status, answer.json)


async def test_bot_makes_a_picture_for_the_owner_it_names(with_bots: RunningNavigator) -> None:
    answer = await with_bots.post("/api/queue/txt2img", PLAIN | {"owner_id": "Russ"})
    compare(exchange(309), answer.status, answer.json)
    await with_bots.finished(answer.json["job_id"])
    assert (await Image.get(id=answer.json["job_id"])).owner_id == "Russ"
    answer = await with_bots.post("/api/queue/img2img", asked(owner_id="Russ"))
    assert (answer.status, answer.json["owner_id"]) == (200, "Russ")


async def test_bot_that_names_nobody_is_refused_as_recorded(with_bots: RunningNavigator) -> None:
    recorded = exchange(308)
    answer = await with_bots.replay(recorded)
    compare(recorded, answer.status, answer.json)
    assert not await User.exists(id="None")


async def test_web_page_is_no_bot(with_bots: RunningNavigator) -> None:
    body = PLAIN | {"owner_id": "Russ"}
    answer = await with_bots.post("/api/queue/txt2img", body, headers={"Origin": "http://evil"})
    assert (answer.status, answer.json["error_code"]) == (403, "ORIGIN_NOT_ALLOWED")
    answer = await with_bots.post("/api/queue/txt2img", PLAIN | {"owner_id": "superuser"})
    assert answer.status == 403


async def test_bot_from_elsewhere_is_refused(with_bots: RunningNavigator) -> None:
    headers = {"X-Forwarded-For": "198.51.100.7"}
    body = PLAIN | {"owner_id": "Russ"}
    answer = await with_bots.post("/api/queue/txt2img", body, headers=headers)
    assert (answer.status, answer.json["error_code"]) == (403, "ADDRESS_NOT_ALLOWED")


async def test_bots_input_is_checked_like_everybodys(with_bots: RunningNavigator) -> None:
    for body, name in (({"prompt": "x"}, "model_name"), (PLAIN | {"steps": -1}, "steps")):
        answer = await with_bots.post("/api/queue/txt2img", body | {"owner_id": "Russ"})
        assert (answer.status, name in answer.json["error"]) == (400, True)
    foreign = await with_bots.picture(await with_bots.login())
    body = asked(owner_id="Russ", init_image=f"NAVIGATOR_{foreign}")
    answer = await with_bots.post("/api/queue/img2img", body)
    assert (answer.status, answer.json["error"]) == (400, "Job not found")


async def test_queue_shows_ones_own_jobs_and_their_places(slow_server: RunningNavigator) -> None:
    server = slow_server
    token, other = await server.login(), await server.add_user("200000000000000002")
    first = await server.submit(token, steps=100)
    await server.reached(first["job_id"], "running")  # type: ignore[arg-type]
    await server.submit(other)
    second = await server.submit(token, prompt="mine")
    found = (await server.get("/api/queue", token=token)).json
    assert found["waiting"] == 2
    assert [(job["job_id"], job["status"], job["place"]) for job in found["jobs"]] == [
        (first["job_id"], "running", 0), (second["job_id"], "queued", 2),
    ]  # fmt: skip
    assert (found["jobs"][1]["prompt"], found["jobs"][1]["eta"]) == ("mine", None)
    assert found["waiting_reason"] is None
