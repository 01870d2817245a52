"""Recordings of a server with the settings of the earlier example file, some of them empty."""

import pytest

from tests.parity.case import OWNER, Case
from tests.parity.replaying import check
from tests.parity.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {
    "ENABLE_DEMO_USER": "false",
    "ENABLE_LORA_SUPPORT": "true",
    "SUPERUSER_ADMIN_TOKEN": "",
}
CASES = [
    Case(331, None, {"status": "Switches such as `ENABLE_DEMO_USER=false`"}, 403),
    Case(333, OWNER, {"body": "`ENABLE_LORA_SUPPORT`"}),
    Case(336, OWNER),
    Case(337),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)
