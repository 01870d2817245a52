"""Looks users up: one, pages of them, and how they are shown. Changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tortoise.expressions import Q

from app.accounts.caller import SYSTEM_USER_IDS
from app.accounts.models import ID_CHARS, User
from app.accounts.roles import Approval, Role
from app.errors import NotFound
from app.events import UserSnapshot


class State(StrEnum):
    """What the owner wants to know of a user. The names are on the wire.

    `unknown` are accounts that a bot or the earlier Navigator named: they never asked to come in.
    """

    PENDING = "pending"
    APPROVED = "approved"
    DISABLED = "disabled"
    FORGOTTEN = "forgotten"
    UNKNOWN = "unknown"


_CONDITIONS = {
    State.PENDING: Q(approval=Approval.PENDING, knocked_at__isnull=False),
    State.APPROVED: Q(approval=Approval.APPROVED, role__gt=Role.NONE),
    State.DISABLED: Q(forgotten_at__isnull=True)
    & (Q(approval=Approval.DENIED) | Q(approval=Approval.APPROVED, role=Role.NONE)),
    State.FORGOTTEN: Q(forgotten_at__isnull=False),
    State.UNKNOWN: Q(approval=Approval.PENDING, knocked_at__isnull=True),
}


@dataclass(frozen=True)
class UserPage:
    """Some users; `count` is how many there are in all."""

    count: int
    users: Sequence[User]


async def find_user(user_id: str) -> User:
    """The user of this id. Raises `NotFound`."""
    user = None
    # MariaDB would not see spaces at the end.
    if 0 < len(user_id) <= ID_CHARS and user_id == user_id.rstrip():
        user = await User.get_or_none(id=user_id)
    if user is None:
        raise NotFound("There is no such user.", code="USER_NOT_FOUND")
    return user


async def user_page(
    number: int, size: int, *, state: State | None = None, search: str = ""
) -> UserPage:
    """Page `number` (from 1) of the users in a state whose name or id has `search` in it.

    The newest come first.
    """
    users = User.exclude(id__in=SYSTEM_USER_IDS)
    if state is not None:
        users = users.filter(_CONDITIONS[state])
    if search:
        users = users.filter(Q(name__icontains=search) | Q(id__contains=search))
    count = await users.count()
    found = await users.order_by("-created_at", "id").offset((number - 1) * size).limit(size)
    return UserPage(count, found)


def state_of(user: User) -> State:
    """In which state a user is."""
    if user.forgotten_at is not None:
        return State.FORGOTTEN
    if user.approval == Approval.PENDING:
        return State.UNKNOWN if user.knocked_at is None else State.PENDING
    is_in = user.approval == Approval.APPROVED and user.role > Role.NONE
    return State.APPROVED if is_in else State.DISABLED


def snapshot(user: User) -> UserSnapshot:
    """What events tell of a user."""
    return UserSnapshot(
        user.id, user.name, int(user.role), user.approval.value, user.provider, user.avatar
    )


def is_after(moment: datetime | None, limit: datetime, now: datetime) -> bool:
    """Whether it was after the limit, and not in a future that a wrong clock made up."""
    return moment is not None and limit < moment <= now
