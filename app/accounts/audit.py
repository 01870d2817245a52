"""The audit log: who did what to whom, when, from where. Entries are only ever added."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from app.accounts.caller import Caller
from app.accounts.models import ID_CHARS, AuditEntry
from app.accounts.roles import Role

log = logging.getLogger(__name__)


class Action(StrEnum):
    """What can be done. The names are on the wire."""

    APPROVE = "approve"
    DENY = "deny"
    DISABLE = "disable"
    SET_ROLE = "set-role"
    SIGN_OUT = "sign-out"
    FORGET = "forget"
    INVITE = "invite"
    ISSUE_LOGIN_LINK = "issue-login-link"
    REVOKE_INVITATION = "revoke-invitation"
    USE_INVITATION = "use-invitation"
    KNOCK = "knock"
    PAUSE_QUEUE = "pause-queue"
    RESUME_QUEUE = "resume-queue"
    FREE_GPU = "free-gpu"
    CANCEL_JOB = "cancel-job"
    RETRY_JOB = "retry-job"
    CHANGE_LORA = "change-lora"
    CHANGE_CHECKPOINT = "change-checkpoint"
    FORGET_CHECKPOINT = "forget-checkpoint"
    DELETE_MODEL = "delete-model"
    ARCHIVE_MODEL = "archive-model"
    RESTORE_MODEL = "restore-model"


@dataclass(frozen=True)
class Actor:
    """Who decides something: a user or a program of the owner's, and from where."""

    id: str
    role: Role
    address: str | None = None

    @classmethod
    def of(cls, caller: Caller, address: str) -> "Actor":
        """The sender of a request."""
        return cls(caller.user_id, caller.role, address)


@dataclass(frozen=True)
class AuditPage:
    """Some entries, newest first; `count` is how many there are in all."""

    count: int
    entries: Sequence[AuditEntry]


async def note(
    actor: Actor,
    action: Action,
    subject: str | None = None,
    *,
    using: BaseDBAsyncClient | None = None,
    **details: Any,
) -> None:
    """Adds an entry, in the transaction `using` if there is one. `details` name nobody."""
    entry = AuditEntry(
        actor=actor.id, address=actor.address, action=action.value, subject=subject, details=details
    )
    await entry.save(using_db=using, force_create=True)


async def note_if_possible(
    actor: Actor, action: Action, subject: str | None = None, **details: Any
) -> None:
    """The same for what is done already, whether the database answers or not."""
    try:
        await note(actor, action, subject, **details)
    except Exception as error:
        log.warning("%s by %s could not be written down: %s", action, actor.id, error)


async def audit_page(number: int, size: int, *, subject: str | None = None) -> AuditPage:
    """Page `number` (from 1), of everything or of what was done to one user."""
    if subject is not None and len(subject) > ID_CHARS:
        return AuditPage(0, [])
    entries = AuditEntry.filter(subject=subject) if subject is not None else AuditEntry.all()
    count = await entries.count()
    found = await entries.order_by("-id").offset((number - 1) * size).limit(size)
    return AuditPage(count, found)
