"""Tests of `launcher/people.py`, against a real Navigator."""

import pytest

from app.accounts.roles import Role
from launcher.navigator_api import NavigatorAway, NavigatorRefuses
from launcher.people import People
from launcher.view import Friend
from tests.running import RunningNavigator


async def log_in(server: RunningNavigator, code: str) -> int:
    """The status of a login with this code."""
    return (await server.post("/api/auth/login", {"code": code})).status


async def test_friends_are_listed_and_decided_about(
    server: RunningNavigator, people: People
) -> None:
    await server.add_user("mira", Role.APPRENTICE)
    assert await people.waiting() == ()
    assert "mira" in [user.user_id for user in await people.users()]
    assert (await people.decide("mira", "disable")).user_id == "mira"
    assert "mira" not in [user.user_id for user in await people.users()]
    with pytest.raises(NavigatorRefuses, match="nothing at this address"):
        await people.decide("nobody/../x", "approve")


async def test_invitation_lets_a_friend_in(server: RunningNavigator, people: People) -> None:
    invited = await people.invite()
    assert invited.qr_svg.startswith(("<svg", "<?xml"))
    assert await log_in(server, invited.link.partition("code=")[2]) == 200
    assert "code" not in repr(invited)


async def test_owner_gets_one_account(server: RunningNavigator, people: People) -> None:
    code, invitation_id = await people.owners_code(None, "owner")
    assert invitation_id is not None
    assert await people.used(invitation_id) is None
    assert await log_in(server, code) == 200
    user_id = await people.used(invitation_id)
    assert user_id is not None
    again, nothing = await people.owners_code(user_id, "owner")
    assert (await log_in(server, again), nothing) == (200, None)
    owners = [user for user in await people.users() if user.user_id == user_id]
    assert owners == [Friend(user_id, "owner", owners[0].address)]
    with pytest.raises(NavigatorAway):
        await people.owners_code("gone", "owner")
