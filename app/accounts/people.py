"""Decides about users: approve, deny, disable, roles, sign out, forget. The only writer of those.

Each decision is one transaction with its entry in the audit log; then administrators hear of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from app.accounts.audit import Action, Actor, note
from app.accounts.caller import PROGRAM_IDS, SYSTEM_USER_IDS
from app.accounts.directory import find_user, snapshot
from app.accounts.models import AuditEntry, Invitation, InvitationUse, User
from app.accounts.roles import Approval, Role
from app.errors import Conflict, Forbidden, InvalidInput
from app.events import (
    EventBus,
    UserApproved,
    UserDenied,
    UserDisabled,
    UserEvent,
    UserForgotten,
    UserRoleChanged,
    UserSignedOut,
)

Eraser = Callable[[str, bool], Awaitable[None]]


class LastApex(Conflict):
    """Somebody has to be left who may do everything."""

    code = "LAST_APEX"


class People:
    """The decisions about users. `changed` hears of each user at once, before anybody else."""

    def __init__(
        self,
        events: EventBus,
        *,
        changed: Callable[[str], None] = lambda _: None,
        erasers: Sequence[Eraser] = (),
    ):
        """Each of `erasers` removes what its part knows of a user that is forgotten (the user's
        id, and whether their pictures go too)."""
        self._events = events
        self._changed = changed
        self._erasers = erasers
        self._lock = asyncio.Lock()  # two may decide about one user, or each about the other

    async def approve(
        self, user_id: str, actor: Actor, *, role: Role | None = None, first_apex: bool = False
    ) -> User:
        """Lets a user in. The role of one who is in already is never lowered.

        Without a role, with that of the invitation they came with, or as APPRENTICE. With
        `first_apex` the very first user becomes APEX. Raises `NotFound`, `Forbidden` for a role
        above the actor's, `InvalidInput` for oneself.
        """
        if role == Role.NONE:
            raise InvalidInput("role: must be from 1 to 4.")
        async with self._lock:
            user = await self._target(user_id, actor, "authorize")
            if role is None:
                role = min(await _invited_role(user), actor.role)
            if first_apex and not await _anybody_is_in():
                role = Role.APEX
            elif role > actor.role:
                raise Forbidden("You cannot give a role above your own.")
            if user.approval == Approval.APPROVED and user.role >= role:
                return user
            user.approval, user.role, user.forgotten_at = Approval.APPROVED, role, None
            await self._decide(user, actor, Action.APPROVE, role=int(role))
            self._tell(UserApproved(snapshot(user)))
            return user

    async def deny(self, user_id: str, actor: Actor) -> User:
        """Refuses a user who is not in. Raises as `approve`, `Conflict` for one who is in."""
        async with self._lock:
            user = await self._target(user_id, actor, "deny")
            if user.approval == Approval.APPROVED and user.role != Role.NONE:
                raise Conflict("This user is let in already; disable them instead.")
            await self._shut_out(user, actor, Action.DENY)
            self._tell(UserDenied(snapshot(user)))
            return user

    async def disable(self, user_id: str, actor: Actor) -> User:
        """Shuts a user out, at once. Raises as `approve`, `LastApex`."""
        async with self._lock:
            user = await self._target(user_id, actor, "disable")
            await _keep_an_apex(user)
            await self._shut_out(user, actor, Action.DISABLE)
            self._tell(UserDisabled(snapshot(user)))
            return user

    async def set_role(self, user_id: str, role: Role, actor: Actor) -> User:
        """Gives a user who is in another role. Raises as `approve`, `Conflict`, `LastApex`."""
        if role == Role.NONE:
            raise InvalidInput("role: must be from 1 to 4; to shut somebody out, disable them.")
        async with self._lock:
            user = await self._target(user_id, actor)
            if role > actor.role:
                raise Forbidden("You cannot give a role above your own.")
            if user.approval != Approval.APPROVED or user.role == Role.NONE:
                raise Conflict("This user is not let in; approve them first.")
            if role == user.role:
                return user
            if role < Role.APEX:
                await _keep_an_apex(user)
            before, user.role = user.role, role
            ends = [_made_by(user)] if role < before else []
            details = {"role": int(role), "before": int(before)}
            await self._decide(user, actor, Action.SET_ROLE, ends=ends, **details)
            self._tell(UserRoleChanged(snapshot(user)))
            return user

    async def sign_out(self, user_id: str, actor: Actor) -> User:
        """Makes all tokens of a user void. Raises as `approve`, but takes oneself."""
        async with self._lock:
            user = await self._target(user_id, actor, takes_system_users=user_id == actor.id)
            user.token_epoch += 1
            # Else a link that was used a moment ago would open the account once more.
            await InvitationUse.filter(user_id=user.id, user__last_login_at__isnull=False).delete()
            await self._decide(user, actor, Action.SIGN_OUT, ends=[_ways_back_of(user)])
            self._tell(UserSignedOut(snapshot(user)))
            return user

    async def forget(self, user_id: str, actor: Actor, *, with_pictures: bool) -> None:
        """Erases what is known of a user, and shuts them out for good.

        What is left lets no old token in. May be repeated when erasing failed half-way. Raises as
        `disable`, and whatever keeps something from being erased.
        """
        async with self._lock:
            user = await self._target(user_id, actor, "forget")
            await _keep_an_apex(user)
            user.name, user.avatar, user.knock_address = "", None, None
            user.knocked_at = user.noticed_at = user.last_login_at = None
            user.forgotten_at = datetime.now(UTC)
            await self._shut_out(user, actor, Action.FORGET, with_pictures=with_pictures)
            came_with = InvitationUse.filter(user_id=user.id)
            ids = [use.invitation_id for use in await came_with]
            await Invitation.filter(id__in=ids, max_uses=1).update(name="")
            await came_with.delete()
            await Invitation.filter(user_id=user.id).delete()
            await AuditEntry.filter(actor=user.id).update(address=None)
            self._tell(UserForgotten(snapshot(user)))
        for erase in self._erasers:
            await erase(user.id, with_pictures)

    async def _target(
        self,
        user_id: str,
        actor: Actor,
        not_oneself: str | None = None,
        *,
        takes_system_users: bool = False,
    ) -> User:
        """The user to decide about, if the actor may."""
        if user_id == actor.id and not_oneself is not None:
            raise InvalidInput(f"You cannot {not_oneself} yourself!", code="ONESELF")
        if user_id in PROGRAM_IDS or (user_id in SYSTEM_USER_IDS and not takes_system_users):
            raise InvalidInput("This account is Navigator's own; see the settings.")
        user = await find_user(user_id)
        if user.role > actor.role:
            raise Forbidden("This user has a role above yours.")
        return user

    async def _shut_out(self, user: User, actor: Actor, action: Action, **details: object) -> None:
        user.approval, user.role = Approval.DENIED, Role.NONE
        user.token_epoch += 1
        ends = [_made_by(user), _ways_back_of(user)]
        await self._decide(user, actor, action, ends=ends, **details)

    async def _decide(
        self,
        user: User,
        actor: Actor,
        action: Action,
        *,
        ends: Sequence[QuerySet[Invitation]] = (),
        **details: object,
    ) -> None:
        """Commits the decision, with the invitations that it `ends`."""
        async with in_transaction() as connection:
            await user.save(using_db=connection)
            for invitations in ends:
                still_open = invitations.using_db(connection).filter(revoked_at__isnull=True)
                await still_open.update(revoked_at=datetime.now(UTC))
            await note(actor, action, user.id, using=connection, **details)

    def _tell(self, event: UserEvent) -> None:
        self._changed(event.user.id)
        self._events.publish(event)


def _made_by(user: User) -> QuerySet[Invitation]:
    return Invitation.filter(created_by=user.id)


def _ways_back_of(user: User) -> QuerySet[Invitation]:
    return Invitation.filter(user_id=user.id)


async def _invited_role(user: User) -> Role:
    use = await InvitationUse.filter(user_id=user.id).order_by("-id").first()
    invitation = None if use is None else await Invitation.get_or_none(id=use.invitation_id)
    return Role.APPRENTICE if invitation is None else invitation.role


async def _anybody_is_in() -> bool:
    others = User.filter(role__gt=Role.NONE).exclude(id__in=SYSTEM_USER_IDS)
    return await others.exists()


async def _keep_an_apex(user: User) -> None:
    """Raises `LastApex` if nobody else could do everything."""
    if user.role < Role.APEX or user.approval != Approval.APPROVED:
        return
    others = User.filter(role=Role.APEX, approval=Approval.APPROVED)
    if not await others.exclude(id__in=[*SYSTEM_USER_IDS, user.id]).exists():
        raise LastApex("This is the last user of the role APEX; give that role to another first.")
