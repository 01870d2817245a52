"""Recordings of a server with other settings: limits, no demo user, bots, no LoRAs or models."""

from collections.abc import Mapping

import jwt
import pytest

from app.jobs.models import Job
from tests.parity.case import DEMO, OWNER, Case
from tests.parity.replaying import check
from tests.parity.world import World
from tests.running import CHECKPOINT, SECRET_KEY

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {
    "IMAGE_PIXEL_LIMIT": "1048576",
    "BRANCH": "main",
    "COMMIT_SHA": "abcdef1",
    "ENABLE_DEMO_USER": "false",
    "ENABLE_LORA_REQUESTS": "false",
    "ALLOW_LEGACY_BOT_ENDPOINTS": "true",
}


async def token_of_before(world: World) -> Mapping[str, str]:
    """A token of the demo user's from when there was one."""
    claims = {"discord_id": DEMO, "role": 2}
    world.tokens[DEMO] = jwt.encode(claims, SECRET_KEY, algorithm="HS256")
    return {}


async def picture_of_a_bot(world: World) -> Mapping[str, str]:
    """The one that was recorded under this id."""
    image_id = "051d5b82"
    if not await Job.exists(id=image_id):
        body = {"model_name": CHECKPOINT, "prompt": "x", "job_id": image_id, "owner_id": "Russ"}
        await world.server.post("/api/queue/txt2img", body)
    await world.server.finished(image_id)
    return {}


CASES = [
    Case(301, but={"max_pixels": "`max_pixels`"}),
    Case(302),
    Case(304),
    Case(305, DEMO, stage=token_of_before),
    Case(306, OWNER),
    Case(307, OWNER),
    Case(308),
    Case(309),
    Case(310, stage=picture_of_a_bot),
    Case(311, stage=picture_of_a_bot),
    Case(312, OWNER),
    Case(313, OWNER),
    Case(314, OWNER, {"status": "Downloads that cannot begin"}, now=503),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)
