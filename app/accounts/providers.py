"""Those who tell who somebody is: Discord, invitations, and the demo user's well-known code."""

from collections.abc import Mapping
from typing import Any

from app.accounts.caller import DEMO_CODE, DEMO_USER_ID
from app.accounts.identity import DISCORD, LOCAL, Attempt, Identity, local_profile
from app.accounts.invitations import Invitations, is_code
from app.accounts.login import shown_name
from app.clients.discord import DiscordClient
from app.errors import Forbidden

DEMO_TOKEN_LIFETIME_S = 3 * 3600
_DEMO_PROFILE: Mapping[str, Any] = {
    **local_profile(DEMO_USER_ID, "DemoUser"),
    "global_name": "Demo User",
    "discriminator": "0000",
}


class DemoProvider:
    """Anybody who knows the code is the demo user."""

    def __init__(self, *, enabled: bool):
        self._enabled = enabled

    async def identify(self, attempt: Attempt) -> Identity | None:
        """See `IdentityProvider`. Raises `Forbidden` while it is off."""
        if attempt.code != DEMO_CODE:
            return None
        if not self._enabled:
            raise Forbidden("Demo user is not enabled", code="DEMO_USER_DISABLED")
        return Identity(
            DEMO_USER_ID, "Demo User", None, _DEMO_PROFILE, lifetime_s=DEMO_TOKEN_LIFETIME_S
        )


class InvitationProvider:
    """Whoever has an invitation is the account that it opens."""

    def __init__(self, invitations: Invitations, *, lifetime_s: float | None):
        """`lifetime_s` is that of the tokens; None is for ever."""
        self._invitations = invitations
        self._lifetime_s = lifetime_s

    async def identify(self, attempt: Attempt) -> Identity | None:
        """See `IdentityProvider`."""
        if not is_code(attempt.code):
            return None
        user = await self._invitations.redeem(
            attempt.code, attempt.address, remembered_id=attempt.remembered_id
        )
        profile = dict(local_profile(user.id, user.name))
        profile["avatar"] = user.avatar
        # Somebody from Discord can always log in there again.
        lifetime_s = self._lifetime_s if user.provider == LOCAL else -1
        return Identity(
            user.id, user.name, user.provider, profile, user.avatar, lifetime_s=lifetime_s
        )


class DiscordProvider:
    """Discord says who somebody is."""

    def __init__(self, discord: DiscordClient):
        self._discord = discord

    async def identify(self, attempt: Attempt) -> Identity | None:
        """See `IdentityProvider`."""
        if not self._discord.is_configured:
            return None
        profile = await self._discord.profile_of_code(
            attempt.code, redirect_uri=attempt.redirect_uri
        )
        return discord_identity(profile)


def discord_identity(profile: Mapping[str, Any]) -> Identity:
    """Somebody with this profile of Discord's."""
    user_id = str(profile["id"])
    avatar = profile.get("avatar")
    return Identity(
        user_id,
        shown_name(profile, "global_name", "username", otherwise=user_id),
        DISCORD,
        profile,
        avatar if isinstance(avatar, str) and len(avatar) <= 255 else None,
    )
