"""The two administrative routes of the earlier Navigator, which change things by GET; also by POST.

Ids are Discord's here.
"""

import re
from typing import Any

from quart import Blueprint

from app.accounts.identity import DISCORD, Identity
from app.accounts.login import known_user
from app.accounts.people import LastApex
from app.accounts.providers import discord_identity
from app.accounts.roles import Role
from app.errors import InvalidInput, UpstreamFailed, UpstreamUnavailable
from app.web.access import actor, caller, requires
from app.web.documentation import answers, fails
from app.web.people_answers import Authorized
from app.web.services import services

blueprint = Blueprint("authorization", __name__)

# Snowflakes are numbers of 64 bits.
_DISCORD_ID = re.compile(r"[0-9]{1,20}")
_MAX_DISCORD_ID = 2**63 - 1


@blueprint.route("/api/admin/authorize-user/<discord_id>", methods=["GET", "POST"])
@requires(Role.ARCHITECT)
@answers(Authorized)
@fails(InvalidInput, UpstreamFailed, UpstreamUnavailable)
async def authorize_user(discord_id: str) -> dict[str, Any]:
    """Lets the user with this id at Discord in, as APPRENTICE; the very first one as APEX."""
    _check(discord_id)
    use = services()
    if discord_id == caller().user_id:
        raise InvalidInput("You cannot authorize yourself!", code="ONESELF")
    identity, profile = _unknown(discord_id), None
    if use.discord.has_bot:
        profile = await use.discord.profile_of_id(discord_id)
        if profile is None:
            raise InvalidInput("Failed to validate Discord ID!", code="UNKNOWN_DISCORD_ID")
        identity = discord_identity(profile)
    user = await known_user(identity)
    if profile is not None:
        user.name, user.avatar = identity.name, identity.avatar
        await user.save(update_fields=["name", "avatar"])
    await use.people.approve(discord_id, actor(), role=Role.APPRENTICE, first_apex=True)
    answer: dict[str, Any] = {"message": "User authorized!", "discord_id": discord_id}
    return answer if profile is None else answer | {"user": dict(profile)}


@blueprint.route("/api/admin/disable-user/<discord_id>", methods=["GET", "POST"])
@requires(Role.ARCHITECT)
@answers(Authorized)
@fails(InvalidInput, LastApex)
async def disable_user(discord_id: str) -> dict[str, Any]:
    """Shuts the user with this id at Discord out, whether they are known or not."""
    _check(discord_id)
    if discord_id == caller().user_id:
        raise InvalidInput("You cannot disable yourself!", code="ONESELF")
    await known_user(_unknown(discord_id))
    await services().people.disable(discord_id, actor())
    return {"message": "User disabled!", "discord_id": discord_id}


def _unknown(discord_id: str) -> Identity:
    """Somebody of whom only the id is known."""
    return Identity(discord_id, "", DISCORD, {"id": discord_id})


def _check(discord_id: str) -> None:
    if not _DISCORD_ID.fullmatch(discord_id) or int(discord_id) > _MAX_DISCORD_ID:
        raise InvalidInput("Discord ID must be a number", code="NOT_A_DISCORD_ID")
