"""CivitAI for Compass and other clients: whether downloads work, and looking things up there."""

from typing import Any

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from app.accounts.roles import Role
from app.errors import InvalidInput, NotFound, UpstreamFailed, UpstreamUnavailable
from app.web.access import public, requires
from app.web.answers import CivitaiTest, DownloadsEnabled
from app.web.documentation import answers, fails
from app.web.services import services

blueprint = Blueprint("civitai", __name__)

_STALE = {"X-Navigator-Stale": "When CivitAI said this, if it does not answer now."}
_ESCAPED = (b"%2f", b"%5c")


@blueprint.get("/3papi/test_civitai")
@public
async def get_civitai_test() -> CivitaiTest:
    """Whether CivitAI takes the owner's key, as of the last minute."""
    return {"isAuthenticated": await services().model_browser.is_authenticated()}


@blueprint.get("/3papi/civitai/downloads_enabled")
@requires(Role.APPRENTICE)
@answers(DownloadsEnabled)
async def get_downloads_enabled() -> DownloadsEnabled:
    """Whether models can be downloaded, and in `message` why not."""
    problem = await services().model_browser.why_no_downloads()
    if problem is not None:
        return {"downloadsEnabled": False, "message": problem}
    return {"downloadsEnabled": True}


@blueprint.get("/3papi/civitai/api-proxy/<path:path>")
@requires(Role.APPRENTICE)
@answers(dict[str, Any] | list[Any], headers=_STALE)
@fails(InvalidInput, NotFound, UpstreamFailed, UpstreamUnavailable)
async def get_from_civitai(path: str) -> ResponseReturnValue:
    """What CivitAI's API answers to this path (`models`, `models/123` …) and query."""
    raw_path = request.scope["raw_path"].lower()
    if any(escaped in raw_path for escaped in _ESCAPED):
        raise InvalidInput("The path may not hold an escaped slash.")
    found = await services().model_browser.look_up(path, request.args.items(multi=True))
    headers = {}
    if found.read_at is not None:
        headers["X-Navigator-Stale"] = found.read_at.isoformat(timespec="seconds")
    return found.json, headers
