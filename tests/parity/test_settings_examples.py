"""Recordings of a server with the settings of the earlier example file, some of them empty."""

import pytest

from tests.contract import exchange
from tests.parity.case import OWNER, Case
from tests.parity.replaying import check
from tests.parity.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {
    "ENABLE_DEMO_USER": "false",
    "ENABLE_LORA_SUPPORT": "true",
    "SUPERUSER_ADMIN_TOKEN": "",
    "BOT_TOKEN": "",
    "MODEL_DIR": "",
}
CASES = [
    Case(331, None, {"status": "Switches such as `ENABLE_DEMO_USER=false`"}, 403),
    Case(332, OWNER, {"status": "An empty `BOT_TOKEN`"}, 200),
    Case(333, OWNER, {"body": "`ENABLE_LORA_SUPPORT`"}),
    Case(335, OWNER, {"status": "Downloads that cannot begin"}, now=503),
    Case(334, OWNER),  # the difference is told below
    Case(336, OWNER),
    Case(337),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)


async def test_empty_folder_of_models_counts_as_none(world: World) -> None:
    answer = await world.server.replay(exchange(334), headers=world.headers(OWNER))
    assert answer.json == exchange(313).answer
