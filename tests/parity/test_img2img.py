"""Recordings of img2img, which Forge refused then, and of the routes of old bots."""

from collections.abc import Mapping

import pytest

from app.simulator import Fault
from tests.parity.case import OTHER, OWNER, Case
from tests.parity.replaying import check, picture_in_base64
from tests.parity.staging import picture
from tests.parity.world import World
from tests.running import CHECKPOINT

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORKS = "img2img"
CATEGORY = "img2img with an unknown category"
NOT_THERE = "img2img from a picture that is not there"
NO_IMAGE = "img2img without `init_image`"
FAILING_LISTS = (Fault.http_500("/sdapi/v1/sd-models", times=None),)
SUCCEEDS = {"events.task-failed": WORKS, "events.task-finished": WORKS}


async def foreign_category(world: World) -> Mapping[str, str]:
    """A category of the other's."""
    made = await world.post("/api/user/category", {"name": "foreign"}, OTHER)
    return {'"categoryId": 7': f'"categoryId": {made["id"]}'}


async def finished(world: World) -> Mapping[str, str]:
    """A picture that was drawn from another one."""
    body = {"model_name": CHECKPOINT, "prompt": "a fox", "init_image": picture_in_base64()}
    made = await world.post("/api/queue/user/img2img", body, OWNER)
    await world.server.finished(made["job_id"])
    return {"4ec96602": made["job_id"]}


CASES = [
    Case(188),
    Case(189, OWNER, {"error": "Missing parameters"}),
    *[Case(number, OWNER) for number in (190, 191)],
    Case(192, OWNER, stage=foreign_category),
    Case(193, OWNER, {"status": CATEGORY, "error": CATEGORY}, 403),
    Case(194, OWNER, {"status": NOT_THERE, "error": NOT_THERE}, 400),
    Case(195, OWNER, SUCCEEDS),
    Case(196, OWNER, SUCCEEDS, stage=picture("efe51e32")),
    Case(197, OWNER, SUCCEEDS),
    Case(198, OWNER, {"status": NO_IMAGE}, 400),
    Case(199, OWNER, {"status": "Unknown checkpoint, sampler or module"}, 400),
    Case(200, OWNER),
    Case(201, stage=finished),
    *[Case(number) for number in (202, 203)],
    Case(297, OWNER, {"status": NO_IMAGE}, 400, faults=FAILING_LISTS),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)
