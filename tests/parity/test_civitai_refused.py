"""Recordings of a CivitAI that does not take the owner's key."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.fakes.civitai import API_KEY, FakeCivitai
from tests.parity.case import OWNER, Case
from tests.parity.replaying import check
from tests.parity.world import QUICK, World
from tests.parity.world import world as new_world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A Navigator with a folder for models and a key that is not known."""
    folder = tmp_path_factory.mktemp("parity")
    async with FakeCivitai(api_key="another").serving() as civitai:
        settings = {
            "CIVITAI_API_BASE": civitai.url,
            "CIVITAI_API_KEY": API_KEY,
            "MODEL_DIR": str(folder),
        }
        async with new_world(folder, QUICK, **settings) as made:
            yield made


CASES = [
    Case(262),
    Case(263, OWNER),
    Case(264, OWNER, {"status": "Downloads that cannot begin"}, now=502),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)


async def test_key_is_said_to_be_refused(world: World) -> None:
    told = await world.server.get("/3papi/test_civitai")
    assert told.json == {"isAuthenticated": False}
    enabled = await world.server.get(
        "/3papi/civitai/downloads_enabled", headers=world.headers(OWNER)
    )
    assert enabled.json["downloadsEnabled"] is False
