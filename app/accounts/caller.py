"""Somebody whose credentials were checked, and the callers that are no users."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.accounts.roles import Role
from app.errors import Forbidden

SUPERUSER_ID = "superuser"
DEMO_USER_ID = "demo_user"
DEMO_CODE = "DEMO_USER"
LAUNCHER_ID = "launcher"
COMMAND_LINE_ID = "command-line"
# Accounts that Navigator makes by itself. Nobody approves, changes or forgets them.
SYSTEM_USER_IDS = frozenset({SUPERUSER_ID, DEMO_USER_ID})
# Programs of the owner's. They have no account, so nothing can belong to them.
PROGRAM_IDS = frozenset({LAUNCHER_ID, COMMAND_LINE_ID})


@dataclass(frozen=True)
class Caller:
    """Somebody whose credentials were checked. `claims` is what `/api/user/me` shows."""

    user_id: str
    role: Role
    claims: Mapping[str, Any]

    @property
    def is_administrator(self) -> bool:
        """Whether they may act on what belongs to others."""
        return self.role >= Role.ARCHITECT

    def may_use(self, owner_id: str) -> bool:
        """Whether they may act on something that belongs to this user."""
        return self.is_administrator or self.user_id == owner_id

    def require(self, role: Role) -> None:
        """Raises `Forbidden` unless they have at least `role`."""
        if self.role < role:
            raise Forbidden(f"This needs the role {role.name} or above.")

    def require_account(self) -> None:
        """Raises `Forbidden` for a program: nothing can belong to it."""
        if self.user_id in PROGRAM_IDS:
            raise Forbidden(f"The {self.user_id} has no account of its own.")


def of_role(user_id: str, role: Role) -> Caller:
    """A caller without a token of ours, such as the superuser."""
    return Caller(user_id, role, {"discord_id": user_id, "role": int(role)})
