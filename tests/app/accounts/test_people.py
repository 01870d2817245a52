"""Tests of `app/accounts/people.py`, on both databases: who may decide what about whom."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.accounts.audit import Actor
from app.accounts.caller import DEMO_USER_ID, LAUNCHER_ID, SUPERUSER_ID
from app.accounts.invitations import Invitations
from app.accounts.models import AuditEntry, User
from app.accounts.people import LastApex, People
from app.accounts.roles import Approval, Role
from app.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.events import (
    EventBus,
    UserApproved,
    UserDenied,
    UserDisabled,
    UserRoleChanged,
    UserSignedOut,
)
from app.setting_types import DatabaseLocation
from tests.app.accounts.people import BOSS, add_boss, add_user, audited, heard

pytestmark = pytest.mark.usefixtures("database")

ARCHITECT = Actor("architect", Role.ARCHITECT, "192.0.2.2")
Decision = Callable[[People, str, Actor], Awaitable[object]]
DECISIONS: dict[str, Decision] = {
    "approve": lambda people, user_id, actor: people.approve(user_id, actor),
    "deny": lambda people, user_id, actor: people.deny(user_id, actor),
    "disable": lambda people, user_id, actor: people.disable(user_id, actor),
    "set role": lambda people, user_id, actor: people.set_role(user_id, Role.ARTIFICER, actor),
    "sign out": lambda people, user_id, actor: people.sign_out(user_id, actor),
    "forget": lambda people, user_id, actor: people.forget(user_id, actor, with_pictures=False),
}

_TOLD = {"deny": UserDenied, "disable": UserDisabled}


@pytest.fixture
def events() -> EventBus:
    return EventBus()


@pytest.fixture
async def people(database: DatabaseLocation, events: EventBus) -> People:
    await add_boss()
    return People(events)


async def test_waiting_user_is_approved_and_everybody_knows(
    people: People, events: EventBus
) -> None:
    await add_user("mira", Role.NONE, Approval.PENDING)
    changed: list[str] = []
    people = People(events, changed=changed.append)
    async with heard(events) as happened:
        await people.approve("mira", BOSS)
    user = await User.get(id="mira")
    assert (user.approval, user.role) == (Approval.APPROVED, Role.APPRENTICE)
    assert [type(event) for event in happened] == [UserApproved]
    assert changed == ["mira"]
    assert await audited() == [("boss", "approve", "mira")]
    entry = await AuditEntry.get()
    assert (entry.address, entry.details) == ("192.0.2.1", {"role": 1})


async def test_approving_again_lowers_no_role_and_tells_nobody(
    people: People, events: EventBus
) -> None:
    await add_user("mira", Role.ARCHITECT)
    async with heard(events) as happened:
        await people.approve("mira", BOSS, role=Role.APPRENTICE)
    assert (await User.get(id="mira")).role == Role.ARCHITECT
    assert (happened, await audited()) == ([], [])


async def test_nobody_gives_a_role_above_their_own(people: People) -> None:
    await add_user("mira", Role.NONE, Approval.PENDING)
    await add_user("ben")
    with pytest.raises(Forbidden, match="above your own"):
        await people.approve("mira", ARCHITECT, role=Role.APEX)
    with pytest.raises(Forbidden, match="above your own"):
        await people.set_role("ben", Role.APEX, ARCHITECT)
    await people.set_role("ben", Role.ARCHITECT, ARCHITECT)
    assert (await User.get(id="mira")).approval == Approval.PENDING


@pytest.mark.parametrize("decide", DECISIONS.values(), ids=DECISIONS)
async def test_nobody_decides_about_somebody_of_a_higher_role(
    people: People, decide: Decision
) -> None:
    await add_user("zoe", Role.APEX)
    before = await User.get(id="zoe").values()
    with pytest.raises(Forbidden, match="above yours"):
        await decide(people, "zoe", ARCHITECT)
    assert await User.get(id="zoe").values() == before


@pytest.mark.parametrize("decide", DECISIONS.values(), ids=DECISIONS)
@pytest.mark.parametrize("user_id", ["", "nobody", "boss ", "BOSS", "x" * 5000, "a\0b", "🦊"])
async def test_ids_that_are_none_are_not_found(
    people: People, decide: Decision, user_id: str
) -> None:
    with pytest.raises(NotFound):
        await decide(people, user_id, BOSS)


@pytest.mark.parametrize("decide", DECISIONS.values(), ids=DECISIONS)
@pytest.mark.parametrize("user_id", [SUPERUSER_ID, DEMO_USER_ID, LAUNCHER_ID])
async def test_accounts_of_navigator_itself_are_left_alone(
    people: People, decide: Decision, user_id: str
) -> None:
    await add_user(user_id) if user_id != LAUNCHER_ID else None
    with pytest.raises(InvalidInput, match="Navigator's own"):
        await decide(people, user_id, BOSS)


@pytest.mark.parametrize("name", ["approve", "deny", "disable", "forget"])
async def test_nobody_decides_about_themselves(people: People, name: str) -> None:
    await add_user("other", Role.APEX)
    with pytest.raises(InvalidInput, match="yourself!"):
        await DECISIONS[name](people, BOSS.id, BOSS)
    assert (await User.get(id=BOSS.id)).approval == Approval.APPROVED


async def test_everybody_may_sign_themselves_out_and_lower_their_role(people: People) -> None:
    await add_user("other", Role.APEX)
    await people.sign_out(BOSS.id, BOSS)
    await people.set_role(BOSS.id, Role.ARTIFICER, BOSS)
    boss = await User.get(id=BOSS.id)
    assert (boss.token_epoch, boss.role) == (1, Role.ARTIFICER)


@pytest.mark.parametrize("name", ["disable", "set role", "forget"])
async def test_last_apex_stays(people: People, name: str) -> None:
    await add_user(SUPERUSER_ID, Role.APEX)  # does not count: its token may get lost
    await add_user("denied", Role.APEX, Approval.DENIED)
    superuser = Actor(SUPERUSER_ID, Role.APEX)
    with pytest.raises(LastApex):
        await DECISIONS[name](people, BOSS.id, superuser)
    assert (await User.get(id=BOSS.id)).role == Role.APEX
    await add_user("other", Role.APEX)
    await DECISIONS[name](people, BOSS.id, superuser)
    assert (await User.get(id=BOSS.id)).role < Role.APEX


async def test_two_that_shut_each_other_out_leave_one(people: People) -> None:
    await add_user("zoe", Role.APEX)
    done = await asyncio.gather(
        people.disable("zoe", BOSS),
        people.disable(BOSS.id, Actor("zoe", Role.APEX)),
        return_exceptions=True,
    )
    assert [type(one) for one in done if isinstance(one, Exception)] == [LastApex]
    assert await User.filter(role=Role.APEX, approval=Approval.APPROVED).count() == 1


@pytest.mark.parametrize(
    ("name", "role", "approval"),
    [
        ("deny", Role.NONE, Approval.PENDING),
        ("disable", Role.ARTIFICER, Approval.APPROVED),
        ("disable", Role.NONE, Approval.PENDING),
    ],
)
async def test_who_is_shut_out_loses_role_and_tokens(
    people: People, events: EventBus, name: str, role: Role, approval: Approval
) -> None:
    await add_user("mira", role, approval)
    async with heard(events) as happened:
        await DECISIONS[name](people, "mira", BOSS)
    user = await User.get(id="mira")
    assert (user.approval, user.role, user.token_epoch) == (Approval.DENIED, Role.NONE, 1)
    assert [type(event) for event in happened] == [_TOLD[name]]


async def test_who_is_in_cannot_be_denied(people: People) -> None:
    await add_user("mira")
    with pytest.raises(Conflict, match="disable"):
        await people.deny("mira", BOSS)


async def test_who_is_not_in_has_no_role_to_change(people: People) -> None:
    await add_user("mira", Role.NONE, Approval.PENDING)
    with pytest.raises(Conflict, match="approve"):
        await people.set_role("mira", Role.ARTIFICER, BOSS)
    with pytest.raises(InvalidInput, match="role"):
        await people.set_role("mira", Role.NONE, BOSS)
    with pytest.raises(InvalidInput, match="role"):
        await people.approve("mira", BOSS, role=Role.NONE)


async def test_role_and_sign_out_are_told(people: People, events: EventBus) -> None:
    await add_user("mira")
    async with heard(events) as happened:
        await people.set_role("mira", Role.ARTIFICER, BOSS)
        await people.set_role("mira", Role.ARTIFICER, BOSS)
        await people.sign_out("mira", BOSS)
    assert [type(event) for event in happened] == [UserRoleChanged, UserSignedOut]
    assert await audited() == [("boss", "set-role", "mira"), ("boss", "sign-out", "mira")]


async def test_only_the_very_first_user_becomes_apex(database: DatabaseLocation) -> None:
    people = People(EventBus())
    superuser = Actor(SUPERUSER_ID, Role.APEX)
    await add_user(SUPERUSER_ID, Role.APEX)
    await add_user(DEMO_USER_ID, Role.ARTIFICER)
    for user_id, role in (("1", Role.APEX), ("2", Role.APPRENTICE)):
        await add_user(user_id, Role.NONE, Approval.PENDING)
        await people.approve(user_id, superuser, role=Role.APPRENTICE, first_apex=True)
        assert (await User.get(id=user_id)).role == role


async def test_approval_gives_the_role_of_the_invitation(people: People) -> None:
    invitations = Invitations()
    invited = await invitations.invite(BOSS, role=Role.ARTIFICER, is_preapproved=False)
    user = await invitations.redeem(invited.code, "192.0.2.9")
    await people.approve(user.id, BOSS)
    assert (await User.get(id=user.id)).role == Role.ARTIFICER
