"""Bots of the earlier Navigator: trusted programs nearby that name the owner of each job."""

from ipaddress import ip_address

from app.accounts.caller import PROGRAM_IDS, SUPERUSER_ID, Caller
from app.accounts.models import User
from app.accounts.roles import Approval, Role
from app.errors import Forbidden, InvalidInput, NotApproved
from app.setting_types import Networks

_MAX_ID_CHARS = 64


class LegacyBots:
    """Decides whether a bot may act, and for whom."""

    def __init__(self, *, enabled: bool, allowed: Networks):
        """`allowed` are networks besides this machine."""
        self._enabled = enabled
        self._allowed = allowed

    def check(self, address: str, *, instead: str) -> None:
        """Raises `InvalidInput` naming the route to use `instead` while bots are off, `Forbidden`
        for an address that none may call from."""
        if not self._enabled:
            raise InvalidInput(
                f"This endpoint is not enabled. Please use {instead} instead.",
                code="ENDPOINT_DISABLED",
            )
        if not self._may_call(address):
            raise Forbidden(
                f"Bots may not call from {address}; see LEGACY_BOT_ALLOWED_ADDRESSES.",
                code="ADDRESS_NOT_ALLOWED",
            )

    async def owner(self, owner_id: object) -> Caller:
        """Whom the bot acts for. Somebody unknown gets an account that lets nobody in.

        Raises `InvalidInput` when it names nobody, `NotApproved` for somebody who was shut out.
        """
        if owner_id is None or owner_id == "":
            raise InvalidInput("Missing authentication data", code="MISSING_OWNER")
        if isinstance(owner_id, int) and not isinstance(owner_id, bool):
            owner_id = str(owner_id)
        if not isinstance(owner_id, str) or not _is_id(owner_id):
            raise InvalidInput("owner_id must be text of at most 64 characters.")
        if owner_id in {SUPERUSER_ID, *PROGRAM_IDS}:
            raise Forbidden(f"Bots may not act for the {owner_id}.")
        user, _ = await User.get_or_create(
            id=owner_id,
            defaults={"name": owner_id, "role": Role.NONE, "approval": Approval.PENDING},
        )
        if user.approval == Approval.DENIED:
            raise NotApproved("User is disabled", summary="Forbidden")
        return Caller(user.id, Role.NONE, {})

    def _may_call(self, address: str) -> bool:
        try:
            caller = ip_address(address)
        except ValueError:
            return False
        return caller.is_loopback or any(caller in network for network in self._allowed)


def _is_id(text: str) -> bool:
    return 0 < len(text) <= _MAX_ID_CHARS and text == text.strip() and text.isprintable()
