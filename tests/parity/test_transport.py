"""Recordings of addresses, bodies, login and tokens."""

import time
from collections.abc import Mapping

import jwt
import pytest

from tests.parity.case import DEMO, DISABLED, OTHER, OWNER, SUPERUSER, UNKNOWN, Case, all_of
from tests.parity.replaying import check
from tests.parity.world import World
from tests.running import SECRET_KEY

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_HTML = {"body": "Unknown route, broken JSON, too large a body"}


async def tokens(world: World) -> Mapping[str, str]:
    """Tokens that are no good, by the words that the cases use for them."""
    claims = {"discord_id": OWNER, "role": 4}
    expired = claims | {"exp": int(time.time()) - 5}
    world.tokens |= {
        "wrongly signed": jwt.encode(claims, SECRET_KEY[::-1], algorithm="HS256"),
        "expired": jwt.encode(expired, SECRET_KEY, algorithm="HS256"),
        "unsigned": jwt.encode(claims, "", algorithm="none"),
        "with another role": jwt.encode(
            {"discord_id": OTHER, "role": 4}, SECRET_KEY, algorithm="HS256"
        ),
    }
    return {}


CASES = [
    Case(1),
    Case(2, but=NOT_HTML),
    Case(3, but=NOT_HTML),
    Case(4, but={"body": "`OPTIONS`"}),
    Case(5, but={"body": "`OPTIONS`"}),
    Case(6, but=NOT_HTML),
    Case(7),
    Case(8, but=NOT_HTML),
    Case(9),
    Case(10, but=NOT_HTML),
    Case(11, but={"message": "JSON arrays as a body"}),
    Case(12, but=NOT_HTML),
    *all_of((13, 14, 15)),
    Case(16, but={"error": "A value that makes no sense"}),
    Case(17, but={"error": "A value that makes no sense"}),
    *all_of((18, 29, 30)),
    Case(31, "only the token"),
    Case(32, "another word"),
    Case(33),
    Case(34, "wrongly signed", stage=tokens),
    Case(35, "expired", stage=tokens),
    Case(36, "unsigned", stage=tokens),
    Case(37),
    Case(38, OWNER),
    Case(39, "with another role", stage=tokens),
    Case(40, SUPERUSER),
    Case(41, DEMO),
    Case(42, UNKNOWN),
    Case(43, UNKNOWN, {"status": "Unknown user who owns a picture"}, 403),
    Case(51, DISABLED),
    *all_of((60, 61)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    if case.by == "only the token":
        case = Case(case.number, world.tokens[OWNER])
    if case.by == "another word":
        case = Case(case.number, f"Foo {world.tokens[OWNER]}")
    await check(world, case)
