"""Recordings of a server whose Forge was there, and is not any more."""

import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.simulator import Simulator
from tests.parity.case import OWNER, Case
from tests.parity.replaying import check
from tests.parity.world import QUICK, World
from tests.parity.world import world as new_world
from tests.running import catalogue
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LISTS = "The lists while Forge is away"
JOBS = "Forge away"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A Navigator with two pictures of the owner's, but without Forge."""
    async with contextlib.AsyncExitStack() as stack:
        forge = await stack.enter_async_context(Simulator(QUICK, catalogue()).serving())
        async with new_world(tmp_path_factory.mktemp("parity"), forge.url) as made:
            health = made.server.navigator.health
            await health.wait_ready()
            for image_id in ("picture1", "picture2"):
                await made.picture(image_id, OWNER)
            await stack.aclose()
            health.report_trouble("it was ended")
            await until(lambda: not health.is_ready)
            yield made


CASES = [
    Case(351, but={"error": LISTS}),
    Case(352, but={"body": LISTS}),
    *[Case(number, None, {"status": LISTS}, 200) for number in (353, 354, 355)],
    Case(356, OWNER, {"body": LISTS}),
    Case(357, None, {"status": LISTS}, 200),
    Case(358, None, {"status": LISTS}, 200),
    Case(359, OWNER, {"status": JOBS}, 200),
    Case(360, OWNER, {"status": "Initial images and masks"}, 400),
    Case(361),
    Case(362, OWNER),
    Case(363, OWNER),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)
