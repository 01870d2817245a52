"""Tests of `app/accounts/people.py`, on both databases: who was shut out stays out."""

from datetime import UTC, datetime

import pytest

from app.accounts.audit import Actor
from app.accounts.invitations import Invitations
from app.accounts.models import AuditEntry, Invitation, InvitationUse, User
from app.accounts.people import People
from app.accounts.roles import Approval, Role
from app.errors import Conflict, NotAuthenticated
from app.events import EventBus, UserForgotten
from app.setting_types import DatabaseLocation
from tests.app.accounts.people import BOSS, add_boss, add_user, heard
from tests.app.accounts.test_people import DECISIONS

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def events() -> EventBus:
    return EventBus()


@pytest.fixture
async def people(database: DatabaseLocation, events: EventBus) -> People:
    await add_boss()
    return People(events)


async def test_forgotten_user_leaves_a_tombstone(people: People, events: EventBus) -> None:
    invitations = Invitations()
    user = await invitations.redeem((await invitations.invite(BOSS, name="Mira")).code, "192.0.2.9")
    await User.filter(id=user.id).update(
        avatar="abc", knock_address="192.0.2.9", knocked_at=datetime.now(UTC)
    )
    await invitations.issue_login_link(user.id, BOSS)
    erased: list[tuple[str, bool]] = []

    async def erase(user_id: str, with_pictures: bool) -> None:
        erased.append((user_id, with_pictures))

    people = People(events, erasers=[erase])
    async with heard(events) as happened:
        await people.forget(user.id, BOSS, with_pictures=True)
    assert erased == [(user.id, True)]
    assert [type(event) for event in happened] == [UserForgotten]
    left = await User.get(id=user.id)
    assert (left.name, left.avatar, left.knock_address, left.knocked_at) == ("", None, None, None)
    assert (left.approval, left.role, left.token_epoch) == (Approval.DENIED, Role.NONE, 1)
    assert left.forgotten_at is not None
    assert not await InvitationUse.exists()
    assert not await Invitation.filter(user_id=user.id).exists()
    assert not await AuditEntry.filter(actor=user.id, address__isnull=False).exists()


async def test_forgetting_can_be_repeated_when_erasing_failed(
    people: People, events: EventBus
) -> None:
    await add_user("mira")
    tries: list[str] = []

    async def erase(user_id: str, _with_pictures: bool) -> None:
        tries.append(user_id)
        if len(tries) == 1:
            raise Conflict("not now")

    people = People(events, erasers=[erase])
    with pytest.raises(Conflict):
        await people.forget("mira", BOSS, with_pictures=False)
    assert (await User.get(id="mira")).approval == Approval.DENIED
    await people.forget("mira", BOSS, with_pictures=False)
    assert tries == ["mira", "mira"]


@pytest.mark.parametrize("name", ["disable", "forget", "lower role"])
async def test_who_is_shut_out_does_not_come_back_with_their_own_invitations(
    people: People, name: str
) -> None:
    await add_user("mira", Role.ARCHITECT)
    mira = Actor("mira", Role.ARCHITECT)
    invited = await Invitations().invite(mira, role=Role.ARCHITECT, max_uses=9)
    other = await Invitations().invite(BOSS)
    if name == "lower role":
        await people.set_role("mira", Role.APPRENTICE, BOSS)
    else:
        await DECISIONS[name](people, "mira", BOSS)
    with pytest.raises(NotAuthenticated):
        await Invitations().redeem(invited.code, "192.0.2.9")
    await Invitations().redeem(other.code, "192.0.2.9")


@pytest.mark.parametrize("name", ["disable", "sign out"])
async def test_ways_back_in_end_with_the_decision(people: People, name: str) -> None:
    await add_user("mira")
    link = await Invitations().issue_login_link("mira", BOSS)
    await DECISIONS[name](people, "mira", BOSS)
    with pytest.raises(NotAuthenticated):
        await Invitations().redeem(link.code, "192.0.2.9")


async def test_signing_out_ends_what_a_used_link_still_opens(people: People) -> None:
    invited = await Invitations().invite(BOSS)
    user = await Invitations().redeem(invited.code, "192.0.2.9")
    await User.filter(id=user.id).update(last_login_at=datetime.now(UTC))
    await people.sign_out(user.id, BOSS)
    with pytest.raises(NotAuthenticated):
        await Invitations().redeem(invited.code, "192.0.2.9")


async def test_forgotten_user_is_out_before_anything_is_erased(
    people: People, events: EventBus
) -> None:
    await add_user("mira")
    changed: list[str] = []

    async def erase(_user_id: str, _with_pictures: bool) -> None:
        assert changed == ["mira"]
        raise Conflict("a job still runs")

    people = People(events, changed=changed.append, erasers=[erase])
    async with heard(events) as happened:
        with pytest.raises(Conflict):
            await people.forget("mira", BOSS, with_pictures=False)
    assert [type(event) for event in happened] == [UserForgotten]


async def test_name_of_a_forgotten_friend_goes_from_their_invitation(people: People) -> None:
    invited = await Invitations().invite(BOSS, name="Anna")
    user = await Invitations().redeem(invited.code, "192.0.2.9")
    await people.forget(user.id, BOSS, with_pictures=False)
    assert (await Invitation.get()).name == ""
