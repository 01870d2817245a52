"""The cookie of a login, for what a browser asks for without a header: pictures, the socket.

It never lets anybody change something; a bad one counts for nothing.
"""

import time

from quart import Response, request
from werkzeug.http import dump_cookie, parse_cookie

from app.accounts.accounts import Accounts
from app.accounts.caller import Caller
from app.errors import NavigatorError
from app.web.asgi import Scope, header
from app.web.hosts import Hosts

NAME = "navigator_session"
_WAITING_NAME = "navigator_waiting"
_FOR_EVER_S = 400 * 86400  # browsers keep none for longer


async def caller_of(scope: Scope, accounts: Accounts) -> Caller | None:
    """Whose cookie came with a request, None without a usable one."""
    token = token_of(scope)
    if token is None:
        return None
    try:
        return await accounts.authenticate_token(token)
    except NavigatorError:
        return None


def token_of(scope: Scope) -> str | None:
    """The token in the cookie that came with a request, if there is one; it may be unusable."""
    return parse_cookie(header(scope, b"cookie")).get(NAME) or None


async def is_same_origin(scope: Scope, hosts: Hosts) -> bool:
    """Whether a page at our own address sent the request, or no page of another one."""
    origin = header(scope, b"origin")
    return origin is None or origin == await hosts.origin(scope)


async def remember(response: Response, token: str, *, accounts: Accounts, hosts: Hosts) -> None:
    """Gives the browser the token of a login, for as long as it is valid."""
    try:
        claims = (await accounts.authenticate_token(token)).claims
    except NavigatorError:  # of no use now, and no reason to fail
        return
    lifetime_s = int(claims["exp"] - time.time()) if "exp" in claims else _FOR_EVER_S
    _set(response, token, min(lifetime_s, _FOR_EVER_S), hosts)


def forget(response: Response, *, hosts: Hosts) -> None:
    """Takes the token away from the browser."""
    _set(response, "", 0, hosts)


def waiting_user(scope: Scope, accounts: Accounts) -> str | None:
    """Who waits for approval in the browser that sent a request."""
    token = parse_cookie(header(scope, b"cookie")).get(_WAITING_NAME)
    return accounts.waiting_user(token) if token else None


def waiting_header(user_id: str, accounts: Accounts, hosts: Hosts) -> str:
    """A `Set-Cookie` that lets a browser come again as who waits. It opens nothing by itself."""
    return dump_cookie(
        _WAITING_NAME,
        accounts.waiting_token(user_id),
        max_age=_FOR_EVER_S,
        path="/api/auth/login",
        secure=hosts.is_secure(request.scope),  # type: ignore[arg-type]
        httponly=True,
        samesite="Lax",
    )


def _set(response: Response, token: str, lifetime_s: int, hosts: Hosts) -> None:
    response.set_cookie(
        NAME,
        token,
        max_age=lifetime_s,
        path="/",
        secure=hosts.is_secure(request.scope),  # type: ignore[arg-type]
        httponly=True,
        samesite="Lax",
    )
