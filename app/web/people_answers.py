"""Shapes of answers about users, invitations and the audit log, for the API's description.

Nothing is checked by them. Moments are texts like `2026-03-04T05:06:07.000+00:00`.
"""

from typing import Any, NotRequired

from typing_extensions import TypedDict

from app.accounts.directory import state_of
from app.accounts.models import AuditEntry, Invitation, User
from app.web.moments import moment


class AdminUser(TypedDict):
    """A user as administrators see them.

    `state` is `pending`, `approved`, `disabled`, `forgotten`, or `unknown` for somebody who was
    named but never came. `provider` is `discord`, `local` (an invitation) or null.
    """

    id: str
    name: str
    avatar: str | None
    provider: str | None
    role: int
    state: str
    knocked_at: str | None
    knock_address: str | None
    last_login_at: str | None
    created_at: str | None


class AdminUsers(TypedDict):
    """A page of users. `count` is that of all pages."""

    count: int
    page: int
    users: list[AdminUser]


class Authorized(TypedDict):
    """Whom it was done to. `user` is their profile at Discord, if a bot's token is set."""

    message: str
    discord_id: str
    user: NotRequired[dict[str, Any]]


class AdminInvitation(TypedDict):
    """An invitation without its code. `user_id` is there for a way back in."""

    id: str
    role: int
    name: str
    preapproved: bool
    max_uses: int
    uses: int
    expires_at: str | None
    revoked_at: str | None
    user_id: str | None
    created_by: str
    created_at: str | None


class NewInvitation(AdminInvitation):
    """An invitation with what is shown this once: its code, the link, and the link's QR code.

    `qr_svg` is a document, `qr_png` a `data:` address.
    """

    code: str
    link: str
    qr_svg: str
    qr_png: str


class AdminInvitations(TypedDict):
    """A page of invitations, newest first. `count` is that of all pages."""

    count: int
    page: int
    invitations: list[AdminInvitation]


class AuditLogEntry(TypedDict):
    """Who (`actor`) did what (`action`) to whom (`subject`), when, from which address."""

    id: int
    happened_at: str | None
    actor: str
    address: str | None
    action: str
    subject: str | None
    details: dict[str, Any]


class AuditLog(TypedDict):
    """A page of the audit log, newest first. `count` is that of all pages."""

    count: int
    page: int
    entries: list[AuditLogEntry]


def admin_user(user: User) -> AdminUser:
    """An `AdminUser`."""
    return {
        "id": user.id,
        "name": user.name,
        "avatar": user.avatar,
        "provider": user.provider,
        "role": int(user.role),
        "state": state_of(user).value,
        "knocked_at": moment(user.knocked_at),
        "knock_address": user.knock_address,
        "last_login_at": moment(user.last_login_at),
        "created_at": moment(user.created_at),
    }


def admin_invitation(invitation: Invitation) -> AdminInvitation:
    """An `AdminInvitation`."""
    return {
        "id": invitation.id,
        "role": int(invitation.role),
        "name": invitation.name,
        "preapproved": invitation.is_preapproved,
        "max_uses": invitation.max_uses,
        "uses": invitation.uses,
        "expires_at": moment(invitation.expires_at),
        "revoked_at": moment(invitation.revoked_at),
        "user_id": invitation.user_id,
        "created_by": invitation.created_by,
        "created_at": moment(invitation.created_at),
    }


def audit_log_entry(entry: AuditEntry) -> AuditLogEntry:
    """An `AuditLogEntry`."""
    return {
        "id": entry.id,
        "happened_at": moment(entry.happened_at),
        "actor": entry.actor,
        "address": entry.address,
        "action": entry.action,
        "subject": entry.subject,
        "details": dict(entry.details),
    }
