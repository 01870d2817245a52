"""Who is calling, and may they come in. The only code that decides that of a request."""

import time
from collections.abc import Mapping

from app.accounts.caller import DEMO_USER_ID, SUPERUSER_ID, Caller, of_role
from app.accounts.models import ID_CHARS, User
from app.accounts.roles import Approval, Role
from app.accounts.static_tokens import StaticTokens
from app.accounts.tokens import Tokens, unusable
from app.errors import NotApproved, NotAuthenticated

_SEEN_FOR_S = 0.5
_MAX_SEEN = 1000


class Accounts:
    """Checks credentials."""

    def __init__(
        self,
        tokens: Tokens,
        *,
        superuser_token: str | None,
        demo_user: bool,
        programs: Mapping[str, str] | None = None,
    ):
        """`programs` are the owner's (see `PROGRAM_IDS`), by the token of each."""
        self._tokens = tokens
        drawn = {name: token for token, name in (programs or {}).items()}
        self._static_tokens = StaticTokens({SUPERUSER_ID: superuser_token}, drawn=drawn)
        self._demo_user = demo_user
        self._seen: dict[str, tuple[float, User | None]] = {}
        self._changes = 0

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

    async def authenticate(self, header: str | None, *, address: str | None = None) -> Caller:
        """Who sent this `Authorization` header.

        As clients rely on: the superuser token is the whole header, and of anything else the part
        after the first blank is the token, whatever the scheme word. Raises `NotAuthenticated`
        or `NotApproved`, and `Throttled` to an `address` that guesses.
        """
        if header is None:
            raise NotAuthenticated("Unauthorized")
        if (holder := self._holder_of(header, address)) is not None:
            return holder
        _, _, token = header.partition(" ")
        if not token:
            raise unusable("jwt must be provided")
        return await self.authenticate_token(token.strip())

    async def authenticate_socket(self, token: str, *, address: str | None = None) -> Caller:
        """Whose token this is, the superuser's or anybody's: sockets have no `Authorization`.

        Raises the same as `authenticate`.
        """
        return self._holder_of(token, address) or await self.authenticate_token(token)

    async def authenticate_token(self, token: str) -> Caller:
        """Whose JSON Web Token this is. Raises `NotAuthenticated` or `NotApproved`."""
        claims = self._tokens.read(token)
        user_id = claims["discord_id"]
        if user_id == SUPERUSER_ID or len(user_id) > ID_CHARS:
            raise unusable("jwt malformed")  # the superuser has no login
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

    def waiting_token(self, user_id: str) -> str:
        """See `Tokens.issue_waiting`."""
        return self._tokens.issue_waiting(user_id)

    def waiting_user(self, token: str) -> str | None:
        """See `Tokens.read_waiting`."""
        return self._tokens.read_waiting(token)

    def changed(self, user_id: str) -> None:
        """To be called when the row of a user has changed: it is read again."""
        self._changes += 1
        self._seen.pop(user_id, None)

    async def _user(self, user_id: str) -> User | None:
        """The user, at most half a second old: pages send bursts of requests."""
        now_s = time.monotonic()
        read_s, user = self._seen.get(user_id, (-_SEEN_FOR_S, None))
        if now_s - read_s >= _SEEN_FOR_S:
            changes = self._changes
            user = await User.get_or_none(id=user_id)
            if changes != self._changes:  # perhaps this one, which was read just before
                return user
            if len(self._seen) >= _MAX_SEEN:
                self._seen.clear()
            self._seen[user_id] = (now_s, user)
        return user

    def _holder_of(self, given: str, address: str | None) -> Caller | None:
        owner = self._static_tokens.owner_of(given, address)
        return None if owner is None else of_role(owner, Role.APEX)
