"""Tests of `app/accounts/legacy_bots.py`, on both databases."""

from ipaddress import ip_network

import pytest

from app.accounts.legacy_bots import LegacyBots
from app.accounts.models import User
from app.accounts.roles import Approval, Role
from app.errors import Forbidden, InvalidInput, NotApproved

BOTS = LegacyBots(enabled=True, allowed=(ip_network("192.0.2.0/28"),))
ROUTE = "/api/queue/user/txt2img"


def test_bots_are_sent_elsewhere_while_they_are_off() -> None:
    with pytest.raises(InvalidInput, match=f"Please use {ROUTE} instead"):
        LegacyBots(enabled=False, allowed=()).check("127.0.0.1", instead=ROUTE)


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.7"])
def test_bots_may_call_from_this_machine_and_from_where_the_owner_said(address: str) -> None:
    BOTS.check(address, instead=ROUTE)


@pytest.mark.parametrize("address", ["192.0.2.77", "198.51.100.1", "unknown", ""])
def test_bots_may_call_from_nowhere_else(address: str) -> None:
    with pytest.raises(Forbidden, match="LEGACY_BOT_ALLOWED_ADDRESSES"):
        BOTS.check(address, instead=ROUTE)


@pytest.mark.usefixtures("database")
async def test_named_owner_gets_an_account_that_lets_nobody_in() -> None:
    for _ in range(2):
        owner = await BOTS.owner("Russ")
        assert (owner.user_id, owner.role, owner.is_administrator) == ("Russ", Role.NONE, False)
    user = await User.get(id="Russ")
    assert (user.role, user.approval) == (Role.NONE, Approval.PENDING)
    assert (await BOTS.owner(100000000000000001)).user_id == "100000000000000001"


@pytest.mark.usefixtures("database")
async def test_account_that_is_there_stays_as_it_is() -> None:
    await User.create(id="someone", name="Someone", role=Role.APEX, approval=Approval.APPROVED)
    assert (await BOTS.owner("someone")).role is Role.NONE
    assert (await User.get(id="someone")).role is Role.APEX
    await User.filter(id="someone").update(approval=Approval.DENIED)
    with pytest.raises(NotApproved):
        await BOTS.owner("someone")


@pytest.mark.parametrize("owner_id", [None, "", " x", "x" * 65, "a\0b", 1.5, True, [], {}])
async def test_what_names_nobody_is_refused(owner_id: object) -> None:
    with pytest.raises(InvalidInput):
        await BOTS.owner(owner_id)
