"""Recordings of login with Discord, and of inviting and shutting out users."""

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from app.accounts.models import User
from app.accounts.roles import Approval, Role
from tests.fakes.discord import ME_PATH, FakeDiscord
from tests.fakes.serving import Fault
from tests.parity.case import OTHER, OWNER, SUPERUSER, Case, all_of
from tests.parity.replaying import check
from tests.parity.world import QUICK, World
from tests.parity.world import world as new_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

_DISCORD = FakeDiscord()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A Navigator with a Discord."""
    async with _DISCORD.serving():
        settings = {
            "DISCORD_API_BASE": _DISCORD.url,
            "DISCORD_CLIENT_ID": _DISCORD.client_id,
            "DISCORD_CLIENT_SECRET": _DISCORD.client_secret,
        }
        folder = tmp_path_factory.mktemp("parity")
        async with new_world(folder, QUICK, **settings) as made:
            yield made


async def discord_is_broken(_: World) -> Mapping[str, str]:
    _DISCORD.faults[ME_PATH] = Fault(status=500)
    return {}


async def recorded_user_is_new(_: World) -> Mapping[str, str]:
    await _become(OWNER, Role.NONE, Approval.PENDING)
    return {}


async def recorded_user_is_in(_: World) -> Mapping[str, str]:
    await _become(OWNER, Role.APEX, Approval.APPROVED)
    return {}


async def _become(user_id: str, role: Role, approval: Approval) -> None:
    _DISCORD.faults.clear()
    await User.filter(id=user_id).update(role=role, approval=approval)


_BROKEN = dict.fromkeys(("status", "error"), "Discord that is down or broken")
CASES = [
    Case(
        19,
        stage=discord_is_broken,
        but=dict.fromkeys(("status", "error"), "Discord that is down or broken"),
        now=502,
    ),
    Case(20, stage=recorded_user_is_new),
    Case(27, stage=recorded_user_is_in),
    Case(28, stage=recorded_user_is_in),
    Case(50, stage=recorded_user_is_in),
    *all_of((21, 22)),
    *all_of((23, 24, 25, 26), SUPERUSER),
    Case(44, OTHER, but=dict.fromkeys(("status", "message"), "Role too low"), now=403),
    Case(45, OWNER),
    Case(46, OWNER),
    Case(47, OTHER, but=dict.fromkeys(("status", "message"), "Role too low"), now=403),
    *all_of((48, 49), OWNER),
    Case(52, OWNER, but={"body": "Unknown route, broken JSON, too large a body"}),
    *all_of((53, 54), SUPERUSER),
    Case(55, OWNER),
    Case(56, SUPERUSER),
    *(Case(number, SUPERUSER, but={"status": "Ids at Discord"}, now=400) for number in (57, 58)),
    Case(59, SUPERUSER, but={"status": "Ids at Discord"}, now=400),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number:03}")
async def test_answer_is_as_recorded(world: World, case: Case) -> None:
    await check(world, case)
