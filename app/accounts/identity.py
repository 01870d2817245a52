"""Who somebody is, in the words of whoever vouches for them. One interface for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

LOCAL = "local"
DISCORD = "discord"


@dataclass(frozen=True)
class Attempt:
    """A try to log in.

    `redirect_uri` is where Discord sent the browser back to. `remembered_id` is the user whose
    session cookie came along.
    """

    code: str
    address: str
    redirect_uri: str = ""
    remembered_id: str | None = None


@dataclass(frozen=True)
class Identity:
    """Somebody that a provider vouches for.

    `profile` is what clients get as `user`. `lifetime_s` is that of the token: None for ever, -1
    the usual one.
    """

    user_id: str
    name: str
    provider: str | None
    profile: Mapping[str, Any]
    avatar: str | None = None
    lifetime_s: float | None = -1


class IdentityProvider(Protocol):
    """Tells from a login code who somebody is."""

    async def identify(self, attempt: Attempt) -> Identity | None:
        """Who this is; None for a code that is not of this provider.

        Raises `NotAuthenticated` or `Forbidden` for one that is, but is no good, and
        `UpstreamFailed` or `UpstreamUnavailable` when that cannot be told now.
        """


def local_profile(user_id: str, name: str) -> Mapping[str, Any]:
    """A profile in the shape that clients know from Discord, for somebody without an account
    there."""
    return {
        "id": user_id,
        "username": name,
        "global_name": name,
        "discriminator": "0",
        "avatar": None,
        "bot": False,
        "system": False,
        "mfa_enabled": False,
        "locale": "en-US",
        "verified": True,
    }
