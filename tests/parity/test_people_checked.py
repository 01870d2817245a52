"""Recordings of a server with a bot's token, and of one whose tokens do not expire."""

from collections.abc import AsyncIterator, Mapping

import jwt
import pytest
import pytest_asyncio

from app.accounts.models import User
from app.accounts.roles import Approval, Role
from tests.contract import exchange
from tests.fakes.discord import FakeDiscord
from tests.parity.case import OWNER, Case, all_of
from tests.parity.replaying import check
from tests.parity.world import QUICK, World
from tests.parity.world import world as new_world
from tests.running import SECRET_KEY

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A Navigator that asks Discord about ids."""
    async with FakeDiscord().serving() as discord:
        settings = {
            "DISCORD_API_BASE": discord.url,
            "DISCORD_CLIENT_ID": discord.client_id,
            "DISCORD_CLIENT_SECRET": discord.client_secret,
            "DISCORD_BOT_TOKEN": discord.bot_token,
            "TOKEN_EXPIRATION_TIME": "-1",
        }
        folder = tmp_path_factory.mktemp("parity")
        async with new_world(folder, QUICK, **settings) as made:
            yield made


async def recorded_user_is_in(_: World) -> Mapping[str, str]:
    await User.filter(id=OWNER).update(role=Role.APEX, approval=Approval.APPROVED)
    return {}


CASES = [Case(303, stage=recorded_user_is_in), *all_of((315, 316, 317), OWNER)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)


async def test_token_does_not_expire(world: World) -> None:
    answer = await world.server.replay(exchange(303))
    claims = jwt.decode(answer.json["token"], SECRET_KEY, algorithms=["HS256"])
    assert "exp" not in claims
