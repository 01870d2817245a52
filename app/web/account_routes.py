"""Login and the caller's own account."""

from typing import Any

from pydantic import BaseModel
from quart import Blueprint, request
from quart_schema import document_request

from app.accounts.roles import Role
from app.errors import Forbidden, InvalidInput, NotAuthenticated, UpstreamUnavailable
from app.web.access import caller, public, requires
from app.web.answers import LoginAnswer, Me
from app.web.documentation import answers, fails
from app.web.services import services

blueprint = Blueprint("accounts", __name__)


class LoginRequest(BaseModel):
    """`code` is what the login provider gave, or `DEMO_USER` where that is enabled."""

    code: str


@blueprint.post("/api/auth/login")
@public
@document_request(LoginRequest)
@answers(LoginAnswer)
@fails(NotAuthenticated, Forbidden, UpstreamUnavailable)
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
@answers(Me)
async def get_me() -> dict[str, Any]:
    """The claims of the caller's token, with their role of now."""
    return {"user": dict(caller().claims)}
