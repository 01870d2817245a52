"""Login and the caller's own account."""

from typing import Any

from pydantic import BaseModel
from quart import Blueprint, Response, jsonify, request
from quart_schema import document_request

from app.accounts.roles import Role
from app.errors import Forbidden, InvalidInput, NotAuthenticated, UpstreamUnavailable
from app.web import session_cookie
from app.web.access import caller, public, requires
from app.web.answers import LoginAnswer, Me, Message
from app.web.documentation import answers, fails
from app.web.services import services

blueprint = Blueprint("accounts", __name__)


class LoginRequest(BaseModel):
    """`code` is what the login provider gave, or `DEMO_USER` where that is enabled."""

    code: str


@blueprint.post("/api/auth/login")
@public
@document_request(LoginRequest)
@answers(LoginAnswer, headers={"Set-Cookie": "The token again, for pages of the same origin."})
@fails(NotAuthenticated, Forbidden, UpstreamUnavailable)
async def post_login() -> Response:
    """Exchanges a login code for a token. Browsers get it as a cookie too, see there."""
    body = await request.get_json()
    if "code" not in body:
        raise InvalidInput("Code is required", code="CODE_REQUIRED")
    if not isinstance(body["code"], str):
        raise NotAuthenticated(
            "Authentication through Discord failed: code must be text", code="LOGIN_FAILED"
        )
    use = services()
    login = await use.accounts.login(body["code"])
    response = jsonify({"token": login.token, "user": dict(login.profile), "role": int(login.role)})
    await session_cookie.remember(response, login.token, accounts=use.accounts, hosts=use.hosts)
    return response


@blueprint.post("/api/auth/logout")
@public
@answers(Message, headers={"Set-Cookie": "An empty one."})
async def post_logout() -> Response:
    """Takes the cookie of the login away; tokens stay valid until they expire."""
    response = jsonify({"message": "Logged out"})
    session_cookie.forget(response, hosts=services().hosts)
    return response


@blueprint.get("/api/user/me")
@requires(Role.APPRENTICE)
@answers(Me)
async def get_me() -> dict[str, Any]:
    """The claims of the caller's token, with their role of now."""
    return {"user": dict(caller().claims)}
