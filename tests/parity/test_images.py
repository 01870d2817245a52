"""Recordings of pictures, what is known of them, previews, and pages for messengers."""

from collections.abc import Mapping

import pytest

from app.simulator import Fault
from tests.parity.case import DEMO, Case
from tests.parity.replaying import check
from tests.parity.staging import picture, unfinished
from tests.parity.world import World
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

FULL = picture("9c1523fc")
HIDDEN = {"parameters.owner_id": "`GET /api/images/:id/info`"}
PNG_INFO = "The same, while Forge fails"


async def with_preview(world: World) -> Mapping[str, str]:
    """A picture of which a preview was seen."""
    job_id = await world.running(DEMO)
    await until(lambda: _has_preview(world, job_id))
    return {"9c1523fc": job_id}


async def _has_preview(world: World, job_id: str) -> bool:
    return (await world.server.get(f"/api/previews/{job_id}")).status == 200


UNREADABLE = (Fault.http_500("/sdapi/v1/png-info", times=None),)
CASES = [
    Case(141, stage=FULL),
    Case(142, stage=FULL),
    Case(143),
    Case(144, stage=FULL, but=HIDDEN),
    Case(145, stage=FULL, but=HIDDEN),
    Case(146, stage=FULL),
    Case(147),
    Case(148, None, {"status": PNG_INFO}, 200, FULL, UNREADABLE),
    Case(149, stage=with_preview),
    Case(150),
    Case(151, stage=unfinished("emptyimg")),
    Case(152, stage=unfinished("emptyimg")),
    Case(153, stage=unfinished("emptyimg")),
    Case(154, stage=FULL),
    Case(155),
    Case(
        156, stage=unfinished("emptyimg"), but={"status": "`/embed` of an unfinished job"}, now=404
    ),
    Case(170, stage=unfinished("1cb602d1")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)
