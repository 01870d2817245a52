"""Tests of `app/accounts/audit.py`, on both databases."""

import pytest
from tortoise.transactions import in_transaction

from app.accounts.audit import Action, Actor, audit_page, note
from app.accounts.caller import of_role
from app.accounts.models import AuditEntry
from app.accounts.roles import Role

pytestmark = pytest.mark.usefixtures("database")

ACTOR = Actor("boss", Role.APEX, "192.0.2.1")


async def test_entry_says_who_did_what_to_whom_and_from_where() -> None:
    await note(ACTOR, Action.APPROVE, "mira", role=1)
    entry = (await audit_page(1, 10)).entries[0]
    assert (entry.actor, entry.address, entry.action, entry.subject, entry.details) == (
        "boss", "192.0.2.1", "approve", "mira", {"role": 1},
    )  # fmt: skip
    assert entry.happened_at is not None


async def test_pages_have_the_newest_first_and_may_be_of_one_user() -> None:
    for number in range(5):
        await note(ACTOR, Action.DISABLE, "mira" if number % 2 else "ben")
    everything = await audit_page(1, 3)
    assert everything.count == 5
    assert [entry.subject for entry in everything.entries] == ["ben", "mira", "ben"]
    assert len((await audit_page(2, 3)).entries) == 2
    of_mira = await audit_page(1, 10, subject="mira")
    assert (of_mira.count, {entry.subject for entry in of_mira.entries}) == (2, {"mira"})


async def test_entry_goes_with_its_transaction() -> None:
    async def break_off() -> None:
        async with in_transaction() as connection:
            await note(ACTOR, Action.DENY, "mira", using=connection)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await break_off()
    assert not await AuditEntry.exists()


def test_sender_of_a_request_is_an_actor() -> None:
    assert Actor.of(of_role("boss", Role.APEX), "192.0.2.1") == ACTOR
