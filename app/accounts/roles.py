"""Roles and approval: what a user may do, and whether they are let in at all."""

from enum import IntEnum, StrEnum


class Role(IntEnum):
    """Each role may do what the ones below it may. The numbers are on the wire and in tokens."""

    NONE = 0
    APPRENTICE = 1
    ARTIFICER = 2
    ARCHITECT = 3
    APEX = 4


class Approval(StrEnum):
    """The owner's decision about a user."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
