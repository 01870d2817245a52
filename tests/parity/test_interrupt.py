"""Recordings of interrupting jobs, and of a Forge that hangs."""

from collections.abc import Mapping

import pytest

from app.simulator import Fault
from tests.parity.case import DEMO, OTHER, OWNER, Case, Stage
from tests.parity.replaying import check
from tests.parity.world import World
from tests.running import SLOW

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORGE = SLOW
FOREIGN = "Interrupt, somebody else's job"
OWN_ID = "A client's own `job_id`"
HANGING = "A Forge that hangs"


def running(theirs: str, by: str = OWNER) -> Stage:
    """A job that Forge samples, in place of the recorded one."""

    async def stage(world: World) -> Mapping[str, str]:
        return {theirs: await world.running(by)}

    return stage


async def waiting(world: World) -> Mapping[str, str]:
    """A job of the owner's that waits for another one."""
    await world.running(OWNER)
    return {"jobB": await world.submit(OWNER)}


async def removed(world: World) -> Mapping[str, str]:
    """A job of the owner's that waited, and was removed."""
    found = await waiting(world)
    await world.post(f"/api/queue/interrupt/{found['jobB']}", None, OWNER)
    return found


async def long_ids(world: World) -> Mapping[str, str]:
    """The recorded ids are too short now."""
    await world.running(OWNER)
    return {name: name * 2 for name in ("jobB", "jobC", "hangA", "hangB")}


CASES = [
    Case(204),
    Case(205, OWNER),
    Case(206, OWNER),
    Case(207, DEMO, {"status": FOREIGN, "error": FOREIGN}, 404, running("54d327c8")),
    Case(208, OWNER, stage=running("54d327c8")),
    Case(209, OWNER, {"status": OWN_ID}, 400),
    Case(210, OWNER, stage=long_ids),
    Case(211, OWNER, stage=long_ids),
    Case(212, OTHER, {"status": FOREIGN}, 404, waiting),
    Case(213, OWNER, {"status": "Interrupt, waiting job"}, 404, removed),
    Case(214, OWNER, stage=running("jobA")),
    Case(215, OWNER),
    Case(216, OWNER, {"status": "Interrupt, while Forge fails"}, 200, running("b2459f28"),
         (Fault.http_500("/sdapi/v1/interrupt", times=None),)),
    Case(217, OWNER, stage=running("b2459f28")),
    Case(282, None, {"status": HANGING}, 200, faults=(Fault.hang("/sdapi/v1/sd-models"),)),
    Case(283, OWNER, {"status": HANGING}, 200, faults=(Fault.hang("/sdapi/v1/samplers"),)),
    Case(284, OWNER, stage=long_ids, faults=(Fault.hang(times=None),)),
    Case(285, OTHER, stage=long_ids, faults=(Fault.hang(times=None),)),
    Case(296, OTHER, faults=(Fault.http_500("/sdapi/v1/png-info", times=None),)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)
