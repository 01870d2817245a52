"""Invitations: links that let somebody in, and ways back in for those who are. Codes are secret.

A code has 160 random bits. Only its SHA-256 is kept, so it can be shown once, when it is made.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from app.accounts.audit import Action, Actor, note
from app.accounts.caller import PROGRAM_IDS, SYSTEM_USER_IDS
from app.accounts.directory import find_user, is_after
from app.accounts.display_names import display_name
from app.accounts.identity import LOCAL
from app.accounts.models import Invitation, InvitationUse, User
from app.accounts.roles import Approval, Role
from app.errors import Conflict, Forbidden, InvalidInput, NotAuthenticated, NotFound

_RANDOM_BYTES = 20
_CODE = re.compile(r"nav-[a-z2-7]{32}")
_ID_CHARS = 12
_USER_ID = "local-{}"
# A page that is loaded again posts its code again.
_AGAIN_WITHIN = timedelta(minutes=10)
MAX_USES = 1000
MAX_LIFETIME_S = 366 * 86400.0
_NAMELESS = "Friend"


@dataclass(frozen=True)
class Invited:
    """A new invitation and its code, which is nowhere else."""

    invitation: Invitation
    code: str


@dataclass(frozen=True)
class InvitationPage:
    """Some invitations, newest first; `count` is how many there are in all."""

    count: int
    invitations: Sequence[Invitation]


def is_code(text: str) -> bool:
    """Whether this has the shape of a code of ours."""
    return _CODE.fullmatch(text) is not None


def new_code() -> str:
    """A code that nobody can guess."""
    return f"nav-{base64.b32encode(secrets.token_bytes(_RANDOM_BYTES)).decode().lower()}"


class Invitations:
    """Makes, revokes and redeems invitations."""

    async def invite(
        self,
        actor: Actor,
        *,
        role: Role = Role.APPRENTICE,
        name: str = "",
        max_uses: int = 1,
        lifetime_s: float | None = 7 * 86400.0,
        is_preapproved: bool = True,
    ) -> Invited:
        """A link for people who have no account yet.

        Raises `InvalidInput` naming what is out of range, `Forbidden` for a role above the
        actor's.
        """
        if role == Role.NONE:
            raise InvalidInput("role: must be from 1 to 4.")
        if role > actor.role:
            raise Forbidden("You cannot give a role above your own.")
        if not 1 <= max_uses <= MAX_USES:
            raise InvalidInput(f"uses: must be from 1 to {MAX_USES}.")
        invitation = _new(actor, role, display_name(name), _end(lifetime_s))
        invitation.max_uses, invitation.is_preapproved = max_uses, is_preapproved
        return await _saved(invitation, actor, Action.INVITE)

    async def issue_login_link(
        self, user_id: str, actor: Actor, *, lifetime_s: float | None = 3600.0
    ) -> Invited:
        """A way back in for a user, to be used once. Raises `NotFound`, `Forbidden`, `Conflict`."""
        if user_id in SYSTEM_USER_IDS | PROGRAM_IDS:
            raise InvalidInput("This account is Navigator's own; see the settings.")
        user = await find_user(user_id)
        if user.role > actor.role:
            raise Forbidden("This user has a role above yours.")
        if user.approval == Approval.DENIED:
            raise Conflict("This user is shut out; approve them first.")
        invitation = _new(actor, user.role, user.name, _end(lifetime_s))
        invitation.user_id = user.id
        return await _saved(invitation, actor, Action.ISSUE_LOGIN_LINK)

    async def page(self, number: int, size: int) -> InvitationPage:
        """Page `number` (from 1) of all."""
        count = await Invitation.all().count()
        found = (
            await Invitation.all()
            .order_by("-created_at", "id")
            .offset((number - 1) * size)
            .limit(size)
        )
        return InvitationPage(count, found)

    async def revoke(self, invitation_id: str, actor: Actor) -> None:
        """Makes an invitation useless; who came with it stays. Raises `NotFound`."""
        invitation = None
        if len(invitation_id) == _ID_CHARS:
            invitation = await Invitation.get_or_none(id=invitation_id)
        if invitation is None:
            raise NotFound("There is no such invitation.", code="INVITATION_NOT_FOUND")
        if invitation.revoked_at is not None:
            return
        async with in_transaction() as connection:
            invitation.revoked_at = datetime.now(UTC)
            await invitation.save(using_db=connection)
            await note(
                actor, Action.REVOKE_INVITATION, invitation.user_id, using=connection,
                invitation=invitation.id,
            )  # fmt: skip

    async def redeem(self, code: str, address: str, *, remembered_id: str | None = None) -> User:
        """The account that a code opens: a new one, or that of a use before.

        `remembered_id` is who the same browser is logged in as. Raises `NotAuthenticated` for a
        code that is unknown or no good any more.
        """
        invitation = await Invitation.get_or_none(code_sha256=_digest(code))
        if invitation is None:
            raise _refused("This link is not known here.", "LOGIN_FAILED")
        if invitation.revoked_at is not None:
            raise _refused("This invitation was withdrawn.", "INVITATION_REVOKED")
        if (known := await _used_before(invitation, address, remembered_id)) is not None:
            return known
        if invitation.expires_at is not None and invitation.expires_at <= datetime.now(UTC):
            raise _refused("This link has expired; ask for a new one.", "INVITATION_EXPIRED")
        try:
            return await _used(invitation, address)
        except _UsedUp:
            # Perhaps by the same page, which sent its code twice at once.
            if (known := await _used_before(invitation, address, remembered_id)) is not None:
                return known
            raise _refused(
                "This link was used already; ask for a new one.", "INVITATION_USED"
            ) from None


class _UsedUp(Exception):
    """Nobody can come in with it any more."""


async def _used(invitation: Invitation, address: str) -> User:
    """Counts a use, and gives the account that it opens."""
    async with in_transaction() as connection:
        left = Invitation.filter(
            id=invitation.id, uses__lt=invitation.max_uses, revoked_at__isnull=True
        )
        if not await left.using_db(connection).update(uses=F("uses") + 1):
            raise _UsedUp
        user = await _account_of(invitation, connection)
        await InvitationUse(invitation=invitation, user=user, address=address).save(
            using_db=connection
        )
        await note(
            Actor(user.id, user.role, address), Action.USE_INVITATION, user.id,
            using=connection, invitation=invitation.id,
        )  # fmt: skip
    return user


def _new(actor: Actor, role: Role, name: str, expires_at: datetime | None) -> Invitation:
    return Invitation(
        id=secrets.token_hex(_ID_CHARS // 2),
        role=role,
        name=name,
        is_preapproved=True,
        max_uses=1,
        expires_at=expires_at,
        user_id=None,
        created_by=actor.id,
    )


async def _saved(invitation: Invitation, actor: Actor, action: Action) -> Invited:
    code = new_code()
    invitation.code_sha256 = _digest(code)
    async with in_transaction() as connection:
        await invitation.save(using_db=connection, force_create=True)
        await note(
            actor, action, invitation.user_id, using=connection,
            invitation=invitation.id, role=int(invitation.role), uses=invitation.max_uses,
        )  # fmt: skip
    return Invited(invitation, code)


def _end(lifetime_s: float | None) -> datetime | None:
    if lifetime_s is None:
        return None
    if not 0 < lifetime_s <= MAX_LIFETIME_S:
        raise InvalidInput("expires_in_s: must be more than 0 and at most a year.")
    return datetime.now(UTC) + timedelta(seconds=lifetime_s)


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


async def _used_before(
    invitation: Invitation, address: str, remembered_id: str | None
) -> User | None:
    """Who came with this invitation and comes again.

    The same browser; or, with an invitation for one, whoever waited for approval with it, and the
    same address shortly after. Friends who share an invitation may share an address, too.
    """
    used = InvitationUse.filter(invitation_id=invitation.id).order_by("-id")
    if remembered_id is not None and await used.filter(user_id=remembered_id).exists():
        return await User.get_or_none(id=remembered_id)
    last = await used.first()
    if last is None or invitation.max_uses > 1:
        return None
    user = await User.get_or_none(id=last.user_id)
    has_to_wait = invitation.user_id is None and not invitation.is_preapproved
    if user is not None and has_to_wait and user.last_login_at is None:
        return user  # waits, or has been approved since
    now = datetime.now(UTC)
    is_again = is_after(last.used_at, now - _AGAIN_WITHIN, now) and last.address == address
    return user if is_again else None


async def _account_of(invitation: Invitation, connection: BaseDBAsyncClient) -> User:
    """The user of a way back in, or a new one."""
    if invitation.user_id is not None:
        user = await User.get(id=invitation.user_id, using_db=connection)
        if user.role > invitation.role:  # whoever made the link may have no say over them now
            raise _refused(
                "This link is no good any more; ask for a new one.", "INVITATION_REVOKED"
            )
        return user
    user_id = _USER_ID.format(secrets.token_hex(8))
    user = User(
        id=user_id,
        name=invitation.name or f"{_NAMELESS} {user_id[-4:]}",
        role=invitation.role if invitation.is_preapproved else Role.NONE,
        approval=Approval.APPROVED if invitation.is_preapproved else Approval.PENDING,
        provider=LOCAL,
    )
    await user.save(using_db=connection, force_create=True)
    return user


def _refused(sentence: str, code: str) -> NotAuthenticated:
    return NotAuthenticated(sentence, code=code)
