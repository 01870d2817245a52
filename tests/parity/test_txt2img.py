"""Recordings of txt2img: what is accepted, what is refused, and the events that follow."""

from collections.abc import Mapping

import pytest

from app.simulator import Fault
from tests.parity.case import DEMO, DISABLED, OTHER, OWNER, SUPERUSER, Case, all_of, in_events
from tests.parity.replaying import check
from tests.parity.staging import picture
from tests.parity.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMED = {"error": "Missing parameters"}
TEXTS = "Numbers as text"
NONSENSE = "A value that makes no sense"
OWN_ID = "A client's own `job_id`"
ENHANCED = '`image_enhancements: "false"`'
EVENTS = ("task-started", "task-progress", "task-finished")
SIZES_AS_TEXT = in_events(("steps", "hrf_steps", "cfg_scale"), TEXTS, *EVENTS) | {
    "width": TEXTS,
    "height": TEXTS,
}
FAILED = "`task-failed`"
FAILS = {"events.task-failed.status": FAILED, "events.task-failed.error": FAILED}
FAILING_LISTS = (Fault.http_500("/sdapi/v1/samplers", times=None),)
FORWARDED = {
    "events.task-started": "`X-Forwarded-For`",
    "events.task-finished": "`X-Forwarded-For`",
}


async def categories(world: World) -> Mapping[str, str]:
    """One of the owner's, and one of the other's."""
    own = await world.post("/api/user/category", {"name": "own"}, OWNER)
    foreign = await world.post("/api/user/category", {"name": "foreign"}, OTHER)
    return {
        '"categoryId": 1,': f'"categoryId": {own["id"]},',
        '"categoryId": 7}': f'"categoryId": {foreign["id"]}}}',
    }


CASES = [
    Case(130),
    Case(131, DISABLED),
    *[Case(number, OWNER, NAMED) for number in (132, 133, 134)],
    *all_of((135, 136), OWNER),
    Case(137, OWNER, stage=categories),
    Case(138, OWNER),
    Case(139, OWNER, {"events.model-changed": "`model-changed`"}, is_loaded=True),
    Case(140, OWNER, stage=categories),
    *all_of((157, 158), OWNER),
    Case(159, OWNER),
    Case(160, OWNER, {"status": "Unknown checkpoint, sampler or module"}, 400),
    *all_of((161, 162), OWNER),
    Case(163, OWNER, SIZES_AS_TEXT),
    Case(164, OWNER, {"status": NONSENSE}, 400),
    *all_of((165, 166), OWNER),
    Case(167, OWNER, in_events(("image_enhancements",), ENHANCED, *EVENTS)),
    Case(168, OWNER, FAILS, faults=(Fault.crash(times=None, after_steps=40),)),
    Case(169, OWNER, {"events.task-failed.error": FAILED}, faults=(Fault.no_images(times=None),)),
    Case(171, OWNER, FAILS, faults=(Fault.drop(times=None),)),
    Case(172, OWNER, FORWARDED),
    Case(173, OWNER, FORWARDED),
    Case(174, DEMO),
    Case(175, SUPERUSER),
    Case(289, OWNER, {"status": OWN_ID}, 409, picture("efe51e32")),
    Case(290, OWNER, {"status": OWN_ID}, 400),
    Case(291, OWNER, {"status": "`modules: null`"}, 200),
    Case(292, OWNER, {"status": NONSENSE}, 400),
    Case(294, OWNER, {"status": "Forge away"}, 200, faults=FAILING_LISTS),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)
