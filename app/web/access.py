"""Access rules. Every route declares one; a test walks over all routes and checks that."""

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar, cast

from quart import Response, g, request

from app.accounts.audit import Actor
from app.accounts.caller import Caller
from app.accounts.roles import Role
from app.errors import NavigatorError
from app.web import session_cookie
from app.web.address import client_address
from app.web.picture_access import PICTURE, PROTECTED_CACHE_CONTROL
from app.web.services import services

P = ParamSpec("P")
R = TypeVar("R")
Handler = Callable[P, Awaitable[R]]
RULE_ATTRIBUTE = "access_rule"
OWNER_ATTRIBUTE = "owner_rule"


def public(handler: Handler[P, R]) -> Handler[P, R]:
    """Declares that anybody may call `handler`, logged in or not."""
    setattr(handler, RULE_ATTRIBUTE, "public")
    return handler


def requires(
    role: Role, *, owner_of: str | None = None, or_administrator: bool = False
) -> Callable[[Handler[P, R]], Handler[P, R]]:
    """Declares that `handler` needs a logged-in user of at least `role`; see `caller`.

    `owner_of` names what they have to own (`or_administrator`: or be one): the handler checks
    that, and answers for what is somebody else's as for what is missing.
    """

    def declare(handler: Handler[P, R]) -> Handler[P, R]:
        @functools.wraps(handler)
        async def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            found = await _authenticated(request.headers.get("Authorization"))
            found.require(role)
            g.caller = found
            return await handler(*args, **kwargs)

        setattr(checked, RULE_ATTRIBUTE, role.name)
        if owner_of is not None:
            others = f", or {Role.ARCHITECT.name}" if or_administrator else ""
            setattr(checked, OWNER_ATTRIBUTE, f"owner of the {owner_of}{others}")
        return checked

    return declare


def shows_picture(handler: Handler[P, Response]) -> Handler[P, Response]:
    """Declares that `handler` shows a picture: public, unless `PUBLIC_IMAGE_LINKS` is off."""

    @functools.wraps(handler)
    async def checked(*args: P.args, **kwargs: P.kwargs) -> Response:
        access = services().picture_access
        await access.check(request.scope)  # type: ignore[arg-type]
        response = await handler(*args, **kwargs)
        if not access.is_public:
            response.headers.setdefault("Cache-Control", PROTECTED_CACHE_CONTROL)
        return response

    setattr(checked, RULE_ATTRIBUTE, PICTURE)
    return checked


def act_for(somebody: Caller) -> None:
    """Goes on as if they had sent the request; the handler has checked that it may."""
    g.caller = somebody


def caller() -> Caller:
    """Who sent the request, in a handler that `requires` a role."""
    return cast("Caller", g.caller)


def actor() -> Actor:
    """The same, with the address that they called from, for decisions that are written down."""
    address = client_address(request.scope, services().trusted_proxies)  # type: ignore[arg-type]
    return Actor.of(caller(), address)


async def caller_if_any() -> Caller | None:
    """Who sent the request to a public route, None without usable credentials.

    Without the header, the cookie of a login counts for GET and HEAD.
    """
    accounts = services().accounts
    given = request.headers.get("Authorization")
    if given is None and request.method in {"GET", "HEAD"}:
        return await session_cookie.caller_of(request.scope, accounts)  # type: ignore[arg-type]
    try:
        return await _authenticated(given)
    except NavigatorError:
        return None


async def _authenticated(header: str | None) -> Caller:
    use = services()
    address = client_address(request.scope, use.trusted_proxies)  # type: ignore[arg-type]
    return await use.accounts.authenticate(header, address=address)
