"""Access rules. Every route declares one; a test walks over all routes and checks that."""

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar, cast

from quart import g, request

from app.accounts.accounts import Caller
from app.accounts.roles import Role
from app.errors import NavigatorError
from app.web import session_cookie
from app.web.services import services

P = ParamSpec("P")
R = TypeVar("R")
Handler = Callable[P, Awaitable[R]]
RULE_ATTRIBUTE = "access_rule"


def public(handler: Handler[P, R]) -> Handler[P, R]:
    """Declares that anybody may call `handler`, logged in or not."""
    setattr(handler, RULE_ATTRIBUTE, "public")
    return handler


def requires(role: Role) -> Callable[[Handler[P, R]], Handler[P, R]]:
    """Declares that `handler` needs a logged-in user of at least `role`; see `caller`."""

    def declare(handler: Handler[P, R]) -> Handler[P, R]:
        @functools.wraps(handler)
        async def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            found = await services().accounts.authenticate(request.headers.get("Authorization"))
            found.require(role)
            g.caller = found
            return await handler(*args, **kwargs)

        setattr(checked, RULE_ATTRIBUTE, role.name)
        return checked

    return declare


def act_for(somebody: Caller) -> None:
    """Goes on as if they had sent the request; the handler has checked that it may."""
    g.caller = somebody


def caller() -> Caller:
    """Who sent the request, in a handler that `requires` a role."""
    return cast("Caller", g.caller)


async def caller_if_any() -> Caller | None:
    """Who sent the request to a public route, None without usable credentials.

    Without the header, the cookie of a login counts for GET and HEAD.
    """
    accounts = services().accounts
    given = request.headers.get("Authorization")
    if given is None and request.method in {"GET", "HEAD"}:
        return await session_cookie.caller_of(request.scope, accounts)  # type: ignore[arg-type]
    try:
        return await accounts.authenticate(given)
    except NavigatorError:
        return None
