"""Recordings of upscales: of finished pictures, with the high-resolution fix."""

import pytest

from tests.parity.case import OTHER, OWNER, Case, in_events
from tests.parity.replaying import check
from tests.parity.staging import picture, unfinished
from tests.parity.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBERS = "Numbers in upscales"
# At the end the seed was a number always.
AS_NUMBERS = dict.fromkeys(("width", "height"), NUMBERS) | in_events(
    ("steps", "cfg_scale"), NUMBERS, "task-started", "task-progress", "task-finished"
)
AS_NUMBERS |= in_events(("seed",), NUMBERS, "task-started", "task-progress")
ALL_NUMBERS = AS_NUMBERS | in_events(
    ("hrf_steps",), NUMBERS, "task-started", "task-progress", "task-finished"
)
FULL, PLAIN = picture("9c1523fc"), picture("efe51e32")

CASES = [
    Case(176),
    Case(177, OWNER),
    Case(178, OWNER, ALL_NUMBERS, stage=FULL),
    Case(179, OWNER, AS_NUMBERS, stage=FULL),
    Case(180, OTHER, {"status": "Upscales and img2img of somebody else's picture"}, 400, FULL),
    Case(181, OWNER, ALL_NUMBERS, stage=PLAIN),
    Case(182, OWNER),
    Case(183, OWNER, stage=picture("f4a59be7")),
    Case(184, OWNER),
    Case(185, OWNER, ALL_NUMBERS, stage=picture("7a810a25")),
    Case(186, OWNER),
    Case(187, OWNER, ALL_NUMBERS, stage=picture("5ab905c9")),
    Case(293, OWNER, {"error": "Upscale of an unfinished job"}, stage=unfinished("emptyim2")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)
