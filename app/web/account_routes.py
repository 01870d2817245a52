"""Login and the caller's own account."""

from typing import Any

from quart import Blueprint, request

from app.accounts.roles import Role
from app.errors import InvalidInput, NotAuthenticated
from app.web.access import caller, public, requires
from app.web.services import services

blueprint = Blueprint("accounts", __name__)


@blueprint.post("/api/auth/login")
@public
async def post_login() -> dict[str, Any]:
    """Exchanges a login code for a token."""
    body = await request.get_json()
    if "code" not in body:
        raise InvalidInput("Code is required", code="CODE_REQUIRED")
    if not isinstance(body["code"], str):
        raise NotAuthenticated(
            "Authentication through Discord failed: code must be text", code="LOGIN_FAILED"
        )
    login = await services().accounts.login(body["code"])
    return {"token": login.token, "user": dict(login.profile), "role": int(login.role)}


@blueprint.get("/api/user/me")
@requires(Role.APPRENTICE)
async def get_me() -> dict[str, Any]:
    """The claims of the caller's token, with their role of now."""
    return {"user": dict(caller().claims)}
