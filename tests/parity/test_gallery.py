"""Recordings of categories, of pages of pictures, and of what is done with one picture."""

from collections.abc import Mapping

import pytest

from app.generation.models import Category
from tests.parity.case import DEMO, OTHER, OWNER, Case, all_of
from tests.parity.replaying import check
from tests.parity.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

MISSING_CATEGORY = "Renaming a category that is not there"
META = "`GET /api/user/image/:id/meta`"
PUT_CATEGORY = "`PUT /api/user/image/:id/category`"
ABSURD_PAGE = "`page` and `limit` that make no sense"
NO_NAME = "A value that makes no sense"


async def categories(world: World) -> None:
    """The first six are the owner's, the seventh is the other's, as recorded."""
    if not await Category.exists(id=7):
        for number in range(7):
            by = OTHER if number == 6 else OWNER
            await world.post("/api/user/category", {"name": f"number {number}"}, by)


async def pictures(world: World) -> Mapping[str, str]:
    """The other's 25, every fifth in their category, and one of the owner's."""
    for number in range(25):
        category = {} if number % 5 else {"categoryId": 7}
        await world.picture(f"g{number:07}", OTHER, width=64, height=64, **category)
    return {}


async def doomed(world: World) -> Mapping[str, str]:
    """A category of the owner's with a picture in it."""
    found = await world.post("/api/user/category", {"name": "doomed"}, OWNER)
    await world.picture("catimg01", OWNER, categoryId=found["id"])
    return {"category/8": f"category/{found['id']}"}


async def unused(world: World) -> Mapping[str, str]:
    """A category of the owner's."""
    found = await world.post("/api/user/category", {"name": "renamed"}, OWNER)
    return {"category/1": f"category/{found['id']}"}


CASES = [
    Case(104),
    Case(105, DEMO),
    *all_of(range(106, 113), OWNER),
    Case(113, OWNER, {"status": NO_NAME}, 400),
    Case(114, OWNER, {"status": NO_NAME}, 400),
    Case(115, OWNER, {"status": NO_NAME}, 400),
    Case(116, OTHER),
    Case(117, OWNER),
    Case(118, OWNER, stage=unused),
    Case(119, OWNER, stage=unused),
    Case(120, OWNER),
    Case(121, OWNER, {"status": MISSING_CATEGORY}, 404),
    Case(122, OWNER, {"status": MISSING_CATEGORY}, 404),
    Case(123, OWNER, stage=unused),
    *all_of((124, 125), OWNER),
    Case(126, OWNER),
    Case(127, OWNER),
    Case(128, OWNER, stage=doomed),
    Case(129),
    Case(218),
    *[Case(number, OTHER, stage=pictures) for number in (*range(219, 228), *range(230, 237))],
    Case(228, OTHER, {"status": ABSURD_PAGE, "message": ABSURD_PAGE}, 400),
    Case(229, OTHER, {"status": ABSURD_PAGE}, 400),
    Case(237, OTHER, {"status": ABSURD_PAGE, "message": ABSURD_PAGE}, 400),
    Case(238, OTHER, {"status": ABSURD_PAGE, "message": ABSURD_PAGE}, 400),
    *[Case(number, OTHER, stage=pictures) for number in (239, 240, 241)],
    Case(242, DEMO, {"status": META, "message": META}, 404, pictures),
    Case(243),
    *[Case(number, OTHER, stage=pictures) for number in range(244, 251)],
    Case(251, OWNER, {"status": PUT_CATEGORY}, 404, pictures),
    *[Case(number, OTHER, {"status": PUT_CATEGORY}, 404, pictures) for number in (252, 253, 254)],
    Case(255, OWNER, stage=pictures),
    Case(256, OTHER, stage=pictures),
    Case(257, OTHER),
    Case(258),
    Case(287, OWNER, {"status": META}, 404),
    Case(288, OWNER, {"status": NO_NAME}, 400),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await categories(world)
    await check(world, case)
