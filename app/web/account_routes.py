"""Login and the caller's own account."""

import asyncio
from typing import Any

from pydantic import BaseModel
from quart import Blueprint, Response, jsonify, request
from quart_schema import document_request

from app.accounts.caller import SYSTEM_USER_IDS
from app.accounts.identity import Attempt
from app.accounts.login import Waiting
from app.accounts.roles import Role
from app.accounts.throttle import key_of
from app.errors import (
    Forbidden,
    InvalidInput,
    NotAuthenticated,
    Throttled,
    UpstreamFailed,
    UpstreamUnavailable,
)
from app.web import session_cookie
from app.web.access import actor, caller, public, requires
from app.web.address import client_address
from app.web.answers import LoginAnswer, Me, Message
from app.web.asgi import Scope
from app.web.documentation import answers, fails
from app.web.services import services

blueprint = Blueprint("accounts", __name__)

_LOGIN_TIMEOUT_S = 25.0  # Discord has 10 of them


class LoginRequest(BaseModel):
    """`code` is what the login provider gave, or `DEMO_USER` where that is enabled."""

    code: str


@blueprint.post("/api/auth/login")
@public
@document_request(LoginRequest)
@answers(LoginAnswer, headers={"Set-Cookie": "The token again, for pages of the same origin."})
@fails(NotAuthenticated, Forbidden, Throttled, UpstreamFailed, UpstreamUnavailable)
async def post_login() -> Response:
    """Exchanges a login code for a token. Browsers get it as a cookie too, see there."""
    use = services()
    scope: Scope = request.scope  # type: ignore[assignment]
    address = client_address(scope, use.trusted_proxies)
    use.login_throttle.check(key_of(address))
    body = await request.get_json()
    if "code" not in body:
        raise InvalidInput("Code is required", code="CODE_REQUIRED")
    if not isinstance(body["code"], str):
        raise NotAuthenticated(
            "Authentication through Discord failed: code must be text", code="LOGIN_FAILED"
        )
    remembered = await session_cookie.caller_of(scope, use.accounts)
    waiting_id = session_cookie.waiting_user(scope, use.accounts)
    attempt = Attempt(
        code=body["code"],
        address=address,
        redirect_uri=await use.hosts.discord_redirect_uri(scope),
        remembered_id=waiting_id if remembered is None else remembered.user_id,
    )
    try:
        async with asyncio.timeout(_LOGIN_TIMEOUT_S):
            login = await use.logins.login(attempt)
    except Waiting as error:
        cookie = session_cookie.waiting_header(error.user_id, use.accounts, use.hosts)
        error.headers = {"Set-Cookie": cookie}
        raise
    except TimeoutError as error:
        raise UpstreamUnavailable(
            "The login took too long; try again in a moment.", service="database"
        ) from error
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


@blueprint.post("/api/user/sign-out")
@requires(Role.APPRENTICE)
@answers(Message, headers={"Set-Cookie": "An empty one."})
@fails(InvalidInput)
async def post_sign_out() -> Response:
    """Makes all tokens of the caller void, this one too: on every device they log in anew."""
    if caller().user_id in SYSTEM_USER_IDS:
        raise InvalidInput("This account is shared, or has no logins that could end.")
    caller().require_account()
    await services().people.sign_out(caller().user_id, actor())
    response = jsonify({"message": "Signed out everywhere"})
    session_cookie.forget(response, hosts=services().hosts)
    return response


@blueprint.get("/api/user/me")
@requires(Role.APPRENTICE)
@answers(Me)
async def get_me() -> dict[str, Any]:
    """The claims of the caller's token, with their role of now."""
    return {"user": dict(caller().claims)}
