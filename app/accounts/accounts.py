"""Who is calling, and may they come in. The only code that decides that."""

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.accounts.models import User
from app.accounts.roles import Approval, Role
from app.accounts.tokens import Tokens, unusable
from app.errors import Forbidden, InvalidInput, NotApproved, NotAuthenticated

SUPERUSER_ID = "superuser"
DEMO_USER_ID = "demo_user"
DEMO_CODE = "DEMO_USER"
DEMO_TOKEN_LIFETIME_S = 3 * 3600
_SEEN_FOR_S = 0.5
_MAX_SEEN = 1000
_DEMO_PROFILE: Mapping[str, Any] = {
    "id": DEMO_USER_ID,
    "username": "DemoUser",
    "global_name": "Demo User",
    "discriminator": "0000",
    "avatar": None,
    "bot": False,
    "system": False,
    "mfa_enabled": False,
    "locale": "en-US",
    "verified": True,
}


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


@dataclass(frozen=True)
class Login:
    """A successful login: the token, the provider's profile of the user, the role."""

    token: str
    profile: Mapping[str, Any]
    role: Role


class Accounts:
    """Checks credentials and logs people in."""

    def __init__(self, tokens: Tokens, *, superuser_token: str | None, demo_user: bool):
        self._tokens = tokens
        self._superuser_token = superuser_token
        self._demo_user = demo_user
        self._seen: dict[str, tuple[float, User | None]] = {}

    @property
    def has_demo_user(self) -> bool:
        """Whether anybody may log in as the demo user."""
        return self._demo_user

    async def ensure_system_users(self) -> None:
        """Makes the rows that jobs of the superuser and of the demo user point to."""
        for user_id, name, role in (
            (SUPERUSER_ID, "Superuser", Role.APEX),
            (DEMO_USER_ID, "Demo User", Role.ARTIFICER),
        ):
            await User.get_or_create(
                id=user_id, defaults={"name": name, "role": role, "approval": Approval.APPROVED}
            )

    async def authenticate(self, header: str | None) -> Caller:
        """Who sent this `Authorization` header.

        As clients rely on: the superuser token is the whole header, and of anything else the part
        after the first blank is the token, whatever the scheme word. Raises `NotAuthenticated`
        or `NotApproved`.
        """
        if header is None:
            raise NotAuthenticated("Unauthorized")
        if self._is_superuser(header):
            return _superuser()
        _, _, token = header.partition(" ")
        if not token:
            raise unusable("jwt must be provided")
        return await self.authenticate_token(token.strip())

    async def authenticate_socket(self, token: str) -> Caller:
        """Whose token this is, the superuser's or anybody's: sockets have no `Authorization`.

        Raises `NotAuthenticated` or `NotApproved`.
        """
        return _superuser() if self._is_superuser(token) else await self.authenticate_token(token)

    async def authenticate_token(self, token: str) -> Caller:
        """Whose JSON Web Token this is. Raises `NotAuthenticated` or `NotApproved`."""
        claims = self._tokens.read(token)
        user_id = claims["discord_id"]
        if user_id == DEMO_USER_ID and not self._demo_user:
            raise unusable("Demo user was disabled")
        user = await self._user(user_id)
        if user is not None and user.token_epoch != claims["epoch"]:
            raise unusable("jwt expired")
        if user is None or user.approval == Approval.DENIED or user.role == Role.NONE:
            raise NotApproved("User is disabled", summary="Forbidden")
        if user.approval == Approval.PENDING:
            raise NotApproved(
                "Your account waits for approval", code="USER_PENDING", summary="Forbidden"
            )
        shown = {"discord_id": user_id, "role": int(user.role)}
        shown |= {name: claims[name] for name in ("iat", "exp") if name in claims}
        return Caller(user_id, user.role, shown)

    async def login(self, code: object) -> Login:
        """Exchanges a login code for a token.

        Raises `InvalidInput` without a code, `NotAuthenticated` when nobody vouches for it.
        """
        if code == "":
            raise InvalidInput("Code is required", code="CODE_REQUIRED")
        if code == DEMO_CODE:
            return await self._login_demo_user()
        raise NotAuthenticated("Authentication through Discord failed", code="LOGIN_FAILED")

    async def _user(self, user_id: str) -> User | None:
        """The user, at most half a second old: pages send bursts of requests."""
        now_s = time.monotonic()
        read_s, user = self._seen.get(user_id, (-_SEEN_FOR_S, None))
        if now_s - read_s >= _SEEN_FOR_S:
            user = await User.get_or_none(id=user_id)
            if len(self._seen) >= _MAX_SEEN:
                self._seen.clear()
            self._seen[user_id] = (now_s, user)
        return user

    def _is_superuser(self, given: str) -> bool:
        return self._superuser_token is not None and hmac.compare_digest(
            given.encode(), self._superuser_token.encode()
        )

    async def _login_demo_user(self) -> Login:
        if not self._demo_user:
            raise Forbidden("Demo user is not enabled", code="DEMO_USER_DISABLED")
        user = await User.get(id=DEMO_USER_ID)
        token = self._tokens.issue(user, lifetime_s=DEMO_TOKEN_LIFETIME_S)
        return Login(token, _DEMO_PROFILE, user.role)


def _superuser() -> Caller:
    return Caller(SUPERUSER_ID, Role.APEX, {"discord_id": SUPERUSER_ID, "role": int(Role.APEX)})
