"""What anybody may know of this server: for our page, and for whoever looks whether it runs."""

import asyncio
from typing import Any

from quart import Blueprint, request

from app.web.access import public
from app.web.answers import Status
from app.web.documentation import answers
from app.web.services import services
from app.web.site_files import INDEX, find

blueprint = Blueprint("status", __name__)


@blueprint.get("/api/status")
@public
@answers(Status)
async def get_status() -> dict[str, Any]:
    """Whether Forge answers, who may log in how, whether Compass is there."""
    use = services()
    discord = None
    if use.discord.is_configured:
        redirect_uri = await use.hosts.discord_redirect_uri(request.scope)  # type: ignore[arg-type]
        discord = {"authorize_url": use.discord.authorize_url(redirect_uri)}
    index = await asyncio.to_thread(find, use.compass_folder, INDEX)
    return {
        "status": "online",
        "forge": "ready" if use.health.is_ready else "away",
        "demo_user": use.accounts.has_demo_user,
        "compass": index is not None,
        "discord": discord,
    }
