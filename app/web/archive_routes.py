"""Downloading all pictures of one's own."""

import asyncio
from datetime import UTC, datetime
from typing import cast

from quart import Blueprint, Response, request

from app.accounts.roles import Role
from app.errors import TooMany
from app.web.access import caller, requires
from app.web.documentation import Content, answers, fails
from app.web.services import services

blueprint = Blueprint("archive", __name__)


@blueprint.get("/api/user/images.zip")
@requires(Role.APPRENTICE)
@answers(Content("application/zip"), description="The ZIP.")
@fails(TooMany)
async def get_images_zip() -> Response:
    """A ZIP of the caller's pictures: the files, their infotexts, and `pictures.json`.

    It is made while it is sent, so its length is not known before. One at a time for each user.
    """
    name = f"navigator-pictures-{datetime.now(UTC):%Y-%m-%d}.zip"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    if request.method == "HEAD":
        return Response(b"", content_type="application/zip", headers=headers)
    archive = services().archives.begin(caller().user_id)
    # When a client leaves before the first byte, nobody asks for the body; this task ends always.
    cast("asyncio.Task[object]", asyncio.current_task()).add_done_callback(lambda _: archive.end())
    return Response(archive.chunks(), content_type="application/zip", headers=headers)
