"""Logs people in: asks who they are, and whether the owner lets them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q

from app.accounts.audit import Action, Actor, note
from app.accounts.directory import snapshot
from app.accounts.display_names import display_name
from app.accounts.identity import Attempt, Identity, IdentityProvider
from app.accounts.models import User
from app.accounts.roles import Approval, Role
from app.accounts.tokens import Tokens
from app.errors import InvalidInput, NotApproved, NotAuthenticated
from app.events import EventBus, UserPending

NO_ACCESS = "This user does not have API access yet. Please contact an Administrator to get access."
MAX_CODE_CHARS = 2048


class Waiting(NotApproved):
    """Somebody who has to wait for the owner's decision. `user_id` is who."""

    code = "USER_PENDING"

    def __init__(self, user_id: str):
        super().__init__(NO_ACCESS)
        self.user_id = user_id


_NOTICE_INTERVAL = timedelta(minutes=10)


@dataclass(frozen=True)
class Login:
    """A successful login: the token, the provider's profile of the user, the role."""

    token: str
    profile: Mapping[str, Any]
    role: Role


class Logins:
    """Exchanges login codes for tokens."""

    def __init__(self, tokens: Tokens, events: EventBus, providers: Sequence[IdentityProvider]):
        """The first of `providers` that knows a code decides."""
        self._tokens = tokens
        self._events = events
        self._providers = providers

    async def login(self, attempt: Attempt) -> Login:
        """A token for whoever a provider vouches for, if the owner let them in.

        Raises `InvalidInput` without a code, `NotAuthenticated` when nobody vouches for it,
        `NotApproved` for somebody who waits for approval or was refused, and as
        `IdentityProvider.identify`.
        """
        if attempt.code == "":
            raise InvalidInput("Code is required", code="CODE_REQUIRED")
        identity = await self._identity(attempt)
        user = await known_user(identity)
        if user.approval == Approval.PENDING:
            await self._knock(user, identity, attempt.address)
            raise Waiting(user.id)
        if user.approval == Approval.DENIED or user.role == Role.NONE:
            raise NotApproved(NO_ACCESS)
        # The row may have changed meanwhile: only what belongs to logging in is written.
        await User.filter(
            id=user.id, forgotten_at__isnull=True, token_epoch=user.token_epoch
        ).update(
            name=identity.name,
            avatar=identity.avatar,
            provider=identity.provider,
            last_login_at=datetime.now(UTC),
        )
        token = self._tokens.issue(user, lifetime_s=identity.lifetime_s)
        return Login(token, identity.profile, user.role)

    async def _identity(self, attempt: Attempt) -> Identity:
        if len(attempt.code) <= MAX_CODE_CHARS:
            for provider in self._providers:
                identity = await provider.identify(attempt)
                if identity is not None:
                    return identity
        raise NotAuthenticated("Authentication through Discord failed", code="LOGIN_FAILED")

    async def _knock(self, user: User, identity: Identity, address: str) -> None:
        """Notes that somebody waits. Administrators hear of it once in ten minutes."""
        now = datetime.now(UTC)
        unnoticed = (
            Q(noticed_at__isnull=True)
            | Q(noticed_at__lt=now - _NOTICE_INTERVAL)
            | Q(noticed_at__gt=now + _NOTICE_INTERVAL)  # a clock that jumped
        )
        changed = await User.filter(unnoticed, id=user.id).update(
            noticed_at=now,
            knocked_at=now,
            knock_address=address,
            name=identity.name,
            avatar=identity.avatar,
            provider=identity.provider,
        )
        if changed:
            await user.refresh_from_db()
            await note(Actor(user.id, Role.NONE, address), Action.KNOCK, user.id)
            self._events.publish(UserPending(snapshot(user), address))


async def known_user(identity: Identity) -> User:
    """The user's row. Somebody new gets one that waits for approval."""
    user = await User.get_or_none(id=identity.user_id)
    if user is not None:
        return user
    user = User(
        id=identity.user_id,
        name=identity.name,
        avatar=identity.avatar,
        provider=identity.provider,
        role=Role.NONE,
        approval=Approval.PENDING,
    )
    try:
        await user.save(force_create=True)
    except IntegrityError:  # the same person, at the same moment
        user = await User.get(id=identity.user_id)
    return user


def shown_name(profile: Mapping[str, Any], *names: str, otherwise: str) -> str:
    """The first of these entries of a profile that shows something."""
    for name in names:
        value = profile.get(name)
        if isinstance(value, str) and (shown := display_name(value)):
            return shown
    return otherwise
