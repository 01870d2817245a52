"""Tests of `app/accounts/invitations.py`, on both databases."""

import asyncio
import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.audit import Actor
from app.accounts.caller import DEMO_USER_ID, LAUNCHER_ID, SUPERUSER_ID
from app.accounts.invitations import MAX_LIFETIME_S, MAX_USES, Invitations, is_code, new_code
from app.accounts.models import Invitation, InvitationUse, User
from app.accounts.roles import Approval, Role
from app.errors import Conflict, Forbidden, InvalidInput, NotAuthenticated, NotFound
from app.setting_types import DatabaseLocation
from tests.app.accounts.people import BOSS, add_boss, add_user, audited

HOME = "192.0.2.9"
ELSEWHERE = "192.0.2.10"


@pytest.fixture
async def invitations(database: DatabaseLocation) -> Invitations:
    await add_boss()
    return Invitations()


async def refusal(invitations: Invitations, code: str, address: str = ELSEWHERE) -> str:
    """Why the code is refused."""
    with pytest.raises(NotAuthenticated) as caught:
        await invitations.redeem(code, address)
    return caught.value.code


async def has_logged_in(user: User) -> None:
    """Notes that the user is in."""
    await User.filter(id=user.id).update(last_login_at=datetime.now(UTC))


async def test_invited_friend_gets_an_account(invitations: Invitations) -> None:
    invited = await invitations.invite(BOSS, role=Role.ARTIFICER, name=" Mira\u202e ")
    user = await invitations.redeem(invited.code, HOME)
    row = await User.get(id=user.id)
    assert (row.name, row.role, row.approval) == ("Mira", Role.ARTIFICER, Approval.APPROVED)
    assert row.provider == "local"
    assert re.fullmatch(r"local-[0-9a-f]{16}", row.id)
    assert await audited() == [("boss", "invite", None), (user.id, "use-invitation", user.id)]


async def test_friend_without_a_name_gets_one(invitations: Invitations) -> None:
    invited = await invitations.invite(BOSS)
    assert re.fullmatch("Friend [0-9a-f]{4}", (await invitations.redeem(invited.code, HOME)).name)


async def test_friend_who_is_not_approved_waits(invitations: Invitations) -> None:
    invited = await invitations.invite(BOSS, role=Role.ARTIFICER, is_preapproved=False)
    user = await invitations.redeem(invited.code, HOME)
    assert (user.role, user.approval) == (Role.NONE, Approval.PENDING)
    # From anywhere, for as long as they wait: they have nothing else to show.
    assert (await invitations.redeem(invited.code, ELSEWHERE)).id == user.id
    assert await User.filter(provider="local").count() == 1


async def test_code_is_kept_as_a_hash_only(invitations: Invitations) -> None:
    code = (await invitations.invite(BOSS)).code
    row = await Invitation.get().values()
    assert row["code_sha256"] == hashlib.sha256(code.encode()).hexdigest()
    assert code[4:] not in str(row)


def test_codes_are_long_and_different() -> None:
    codes = {new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(is_code(code) for code in codes)
    # Base32 has five bits in a character.
    assert min(len(code.removeprefix("nav-")) * 5 for code in codes) >= 128


async def test_code_is_good_once(invitations: Invitations) -> None:
    code = (await invitations.invite(BOSS)).code
    await has_logged_in(await invitations.redeem(code, HOME))
    assert await refusal(invitations, code) == "INVITATION_USED"


async def test_of_many_at_once_one_gets_in(invitations: Invitations) -> None:
    code = (await invitations.invite(BOSS)).code
    done = await asyncio.gather(
        *(invitations.redeem(code, f"192.0.2.{number}") for number in range(20)),
        return_exceptions=True,
    )
    accounts = {one.id for one in done if isinstance(one, User)}
    refused = {one.code for one in done if isinstance(one, NotAuthenticated)}
    assert len(accounts) == 1
    assert refused <= {"INVITATION_USED"}
    assert await User.filter(provider="local").count() == await InvitationUse.all().count() == 1


async def test_page_that_is_loaded_again_is_the_same_account(invitations: Invitations) -> None:
    code = (await invitations.invite(BOSS)).code
    user = await invitations.redeem(code, HOME)
    await has_logged_in(user)
    assert (await invitations.redeem(code, HOME)).id == user.id
    use = await InvitationUse.get()
    for moment in (timedelta(minutes=-11), timedelta(days=400)):  # long ago; a clock that jumped
        await InvitationUse.filter(id=use.id).update(used_at=datetime.now(UTC) + moment)
        assert await refusal(invitations, code, HOME) == "INVITATION_USED"


async def test_same_browser_is_the_same_account(invitations: Invitations) -> None:
    code = (await invitations.invite(BOSS, max_uses=5)).code
    first, second = [await invitations.redeem(code, HOME) for _ in range(2)]
    assert first.id != second.id  # friends may share an address
    for user in (first, second):
        await has_logged_in(user)
        again = await invitations.redeem(code, ELSEWHERE, remembered_id=user.id)
        assert again.id == user.id
    third = await invitations.redeem(code, HOME, remembered_id=BOSS.id)
    assert third.id not in {first.id, second.id, BOSS.id}


async def test_shared_invitation_knows_who_waits_by_their_browser(
    invitations: Invitations,
) -> None:
    code = (await invitations.invite(BOSS, max_uses=5, is_preapproved=False)).code
    first, second = [await invitations.redeem(code, HOME) for _ in range(2)]
    assert first.id != second.id  # friends may share an address
    await User.filter(id=first.id).update(role=Role.APPRENTICE, approval=Approval.APPROVED)
    for user in (first, second):
        again = await invitations.redeem(code, ELSEWHERE, remembered_id=user.id)
        assert again.id == user.id
    assert (await Invitation.get()).uses == 2


async def test_friend_who_was_approved_later_comes_in_with_the_same_link(
    invitations: Invitations,
) -> None:
    code = (await invitations.invite(BOSS, is_preapproved=False)).code
    user = await invitations.redeem(code, HOME)
    await InvitationUse.all().update(used_at=datetime.now(UTC) - timedelta(days=3))
    await User.filter(id=user.id).update(role=Role.APPRENTICE, approval=Approval.APPROVED)
    assert (await invitations.redeem(code, ELSEWHERE)).id == user.id
    await has_logged_in(user)
    assert await refusal(invitations, code) == "INVITATION_USED"


async def test_invitation_ends_with_its_uses(invitations: Invitations) -> None:
    code = (await invitations.invite(BOSS, max_uses=3)).code
    users = [await invitations.redeem(code, HOME) for _ in range(3)]
    assert len({user.id for user in users}) == 3
    assert await refusal(invitations, code, HOME) == "INVITATION_USED"


async def test_expired_invitation_is_no_good(invitations: Invitations) -> None:
    invited = await invitations.invite(BOSS, lifetime_s=60)
    await Invitation.all().update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert await refusal(invitations, invited.code) == "INVITATION_EXPIRED"
    lasting = await invitations.invite(BOSS, lifetime_s=None)
    assert lasting.invitation.expires_at is None


async def test_withdrawn_invitation_is_no_good_not_even_again(invitations: Invitations) -> None:
    invited = await invitations.invite(BOSS)
    await invitations.redeem(invited.code, HOME)
    for _ in range(2):
        await invitations.revoke(invited.invitation.id, BOSS)
    assert await refusal(invitations, invited.code, HOME) == "INVITATION_REVOKED"
    assert [action for _, action, _ in await audited()].count("revoke-invitation") == 1


@pytest.mark.parametrize("unknown", ["", "x", "0" * 12, "x" * 5000, "'; --"])
async def test_unknown_invitation_cannot_be_withdrawn(
    invitations: Invitations, unknown: str
) -> None:
    with pytest.raises(NotFound):
        await invitations.revoke(unknown, BOSS)


async def test_way_back_in_opens_the_account_once(invitations: Invitations) -> None:
    await add_user("mira", Role.ARTIFICER)
    link = await invitations.issue_login_link("mira", BOSS)
    user = await invitations.redeem(link.code, HOME)
    assert (user.id, user.role) == ("mira", Role.ARTIFICER)
    assert await refusal(invitations, link.code) == "INVITATION_USED"


async def test_way_back_in_is_no_good_for_a_role_above_that_of_its_time(
    invitations: Invitations,
) -> None:
    await add_user("mira")
    link = await invitations.issue_login_link("mira", Actor("architect", Role.ARCHITECT))
    await User.filter(id="mira").update(role=Role.APEX)
    assert await refusal(invitations, link.code) == "INVITATION_REVOKED"


@pytest.mark.parametrize("user_id", [SUPERUSER_ID, DEMO_USER_ID, LAUNCHER_ID])
async def test_there_is_no_way_in_to_accounts_of_navigator_itself(
    invitations: Invitations, user_id: str
) -> None:
    await add_user(user_id, Role.APEX)
    with pytest.raises(InvalidInput, match="Navigator's own"):
        await invitations.issue_login_link(user_id, BOSS)
    assert not await Invitation.exists()


async def test_page_that_sends_its_code_twice_at_once_is_one_account(
    invitations: Invitations,
) -> None:
    for _ in range(5):
        code = (await invitations.invite(BOSS)).code
        users = await asyncio.gather(*(invitations.redeem(code, HOME) for _ in range(4)))
        assert len({user.id for user in users}) == 1


async def test_way_back_in_is_not_for_those_above_or_shut_out(invitations: Invitations) -> None:
    await add_user("zoe", Role.APEX)
    await add_user("ben", Role.NONE, Approval.DENIED)
    with pytest.raises(Forbidden):
        await invitations.issue_login_link("zoe", Actor("architect", Role.ARCHITECT))
    with pytest.raises(Conflict):
        await invitations.issue_login_link("ben", BOSS)
    with pytest.raises(NotFound):
        await invitations.issue_login_link("nobody", BOSS)


async def test_what_makes_no_sense_is_named(invitations: Invitations) -> None:
    with pytest.raises(InvalidInput, match="role"):
        await invitations.invite(BOSS, role=Role.NONE)
    with pytest.raises(Forbidden):
        await invitations.invite(Actor("architect", Role.ARCHITECT), role=Role.APEX)
    for uses in (0, -1, MAX_USES + 1):
        with pytest.raises(InvalidInput, match="uses"):
            await invitations.invite(BOSS, max_uses=uses)
    for lifetime_s in (0, -1, MAX_LIFETIME_S + 1, float("nan"), float("inf")):
        with pytest.raises(InvalidInput, match="expires_in_s"):
            await invitations.invite(BOSS, lifetime_s=lifetime_s)
    assert not await Invitation.exists()


async def test_pages_have_the_newest_first(invitations: Invitations) -> None:
    made = [(await invitations.invite(BOSS)).invitation.id for _ in range(5)]
    page = await invitations.page(1, 3)
    assert page.count == 5
    assert [one.id for one in page.invitations] == made[:1:-1]
    assert [one.id for one in (await invitations.page(2, 3)).invitations] == made[1::-1]


@given(st.text(max_size=60))
def test_only_codes_of_ours_look_like_one(text: str) -> None:
    assert is_code(text) == bool(re.fullmatch(r"nav-[a-z2-7]{32}", text))
    assert not is_code(text + "\n")


@given(st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=32, max_size=32))
def test_whatever_has_the_shape_looks_like_one(random: str) -> None:
    assert is_code(f"nav-{random}")
    assert not is_code(f"nav-{random.upper()}x")
    assert not is_code(f" nav-{random}")
