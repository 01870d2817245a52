"""Who hears of which event over socket.io. Each event states it here; a test looks for all."""

from collections.abc import Mapping
from enum import StrEnum

from app.accounts.caller import Caller
from app.events import (
    CheckpointChanged,
    DiskLow,
    DownloadFinished,
    DownloadProgressed,
    Event,
    JobEvent,
    JobFailed,
    JobFinished,
    JobInterrupted,
    JobProgressed,
    JobStarted,
    ModelsRefreshed,
    QueuePaused,
    QueueResumed,
    UserApproved,
    UserDenied,
    UserDisabled,
    UserForgotten,
    UserPending,
    UserRoleChanged,
    UserSignedOut,
)
from app.jobs.models import JobKind


class Audience(StrEnum):
    """The sockets that hear of an event.

    `OWNER` are those of the job's owner, and those without a token at the address that the job was
    submitted from.
    """

    PUBLIC = "public"
    OWNER = "owner"
    ADMINISTRATORS = "ARCHITECT"
    OWNER_AND_ADMINISTRATORS = "owner and ARCHITECT"


AUDIENCES: Mapping[type[Event], Audience] = {
    ModelsRefreshed: Audience.PUBLIC,
    JobStarted: Audience.OWNER,
    CheckpointChanged: Audience.OWNER,
    JobProgressed: Audience.OWNER,
    JobFinished: Audience.OWNER,
    JobFailed: Audience.OWNER,
    JobInterrupted: Audience.OWNER,
    DownloadProgressed: Audience.OWNER_AND_ADMINISTRATORS,
    DownloadFinished: Audience.OWNER_AND_ADMINISTRATORS,
    UserPending: Audience.ADMINISTRATORS,
    UserApproved: Audience.ADMINISTRATORS,
    UserDenied: Audience.ADMINISTRATORS,
    UserDisabled: Audience.ADMINISTRATORS,
    UserRoleChanged: Audience.ADMINISTRATORS,
    UserSignedOut: Audience.ADMINISTRATORS,
    UserForgotten: Audience.ADMINISTRATORS,
    QueuePaused: Audience.ADMINISTRATORS,
    QueueResumed: Audience.ADMINISTRATORS,
    DiskLow: Audience.ADMINISTRATORS,
}
ADMINISTRATORS_ROOM = "administrators"


def rooms_of_event(event: Event) -> list[str] | None:
    """The rooms that hear of it; None is everybody."""
    audience = AUDIENCES[type(event)]
    if isinstance(event, JobEvent):
        rooms = [user_room(event.job.owner_id), address_room(event.job.origin)]
        is_download = event.job.kind == JobKind.DOWNLOAD
        return [*rooms, ADMINISTRATORS_ROOM] if is_download else rooms
    return None if audience == Audience.PUBLIC else [ADMINISTRATORS_ROOM]


def rooms_of_caller(caller: Caller) -> list[str]:
    """The rooms that the sockets of somebody who has logged in are in."""
    rooms = [user_room(caller.user_id)]
    return [*rooms, ADMINISTRATORS_ROOM] if caller.is_administrator else rooms


def user_room(user_id: str) -> str:
    """Where a user's sockets are."""
    return f"user:{user_id}"


def address_room(address: str) -> str:
    """Where the sockets without a token of an address are."""
    return f"address:{address}"
