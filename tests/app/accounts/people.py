"""Users and deciders for tests of people."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from app.accounts.audit import Actor
from app.accounts.models import AuditEntry, User
from app.accounts.roles import Approval, Role
from app.events import Event, EventBus

BOSS = Actor("boss", Role.APEX, "192.0.2.1")


async def add_user(
    user_id: str, role: Role = Role.APPRENTICE, approval: Approval = Approval.APPROVED
) -> User:
    """A user's row."""
    return await User.create(id=user_id, name=user_id.title(), role=role, approval=approval)


async def add_boss() -> User:
    """The row of `BOSS`."""
    return await add_user(BOSS.id, Role.APEX)


async def audited() -> list[tuple[str, str, str | None]]:
    """Actor, action and subject of all entries, oldest first."""
    entries = await AuditEntry.all().order_by("id")
    return [(entry.actor, entry.action, entry.subject) for entry in entries]


@contextlib.asynccontextmanager
async def heard(events: EventBus) -> AsyncIterator[list[Event]]:
    """What is published while the block runs; complete after it."""
    found: list[Event] = []
    async with events.subscribed() as happened:
        yield found
        while True:
            try:
                found.append(happened.get_nowait())
            except asyncio.QueueEmpty:
                return
