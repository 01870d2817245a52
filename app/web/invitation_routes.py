"""Invitations and ways back in: made, listed and withdrawn by administrators."""

from dataclasses import dataclass
from typing import Any

from quart import Blueprint, request
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request

from app.accounts.invitations import Invited
from app.accounts.roles import Role
from app.errors import Conflict, InvalidInput, NotFound
from app.web import qr
from app.web.access import actor, requires
from app.web.admin_user_routes import page_and_limit, role_of
from app.web.documentation import answers, fails
from app.web.numbers import whole_number
from app.web.people_answers import AdminInvitations, NewInvitation, admin_invitation
from app.web.services import services

blueprint = Blueprint("invitations", __name__)

_DAY_S = 86400
_MAX_NAME_CHARS = 255


@dataclass
class InvitationsQuery:
    """Pages count from 1."""

    page: int = 1
    limit: int = 50


@dataclass
class InvitationRequest:
    """`name` is what the friend will be called. Without `preapproved` they wait for approval.

    `expires_in_s` null is never.
    """

    role: int = 1
    name: str = ""
    uses: int = 1
    expires_in_s: int | None = 7 * _DAY_S
    preapproved: bool = True


@dataclass
class LoginLinkRequest:
    """`expires_in_s` null is never."""

    expires_in_s: int | None = 3600


@blueprint.get("/api/admin/invitations")
@requires(Role.ARCHITECT)
@document_querystring(InvitationsQuery)
@fails(InvalidInput)
async def get_invitations() -> AdminInvitations:
    """A page of all invitations, also of those that are no good any more."""
    page, limit = page_and_limit()
    found = await services().invitations.page(page, limit)
    shown = [admin_invitation(one) for one in found.invitations]
    return {"count": found.count, "page": page, "invitations": shown}


@blueprint.post("/api/admin/invitations")
@requires(Role.ARCHITECT)
@document_request(InvitationRequest)
@answers(NewInvitation, 201)
@fails(InvalidInput)
async def post_invitation() -> ResponseReturnValue:
    """Makes a link that lets friends in, with or without an account at Discord."""
    body = await request.get_json()
    name, is_preapproved = body.get("name", ""), body.get("preapproved", True)
    if not isinstance(name, str) or len(name) > _MAX_NAME_CHARS:
        raise InvalidInput(f"name must be text of at most {_MAX_NAME_CHARS} characters.")
    if not isinstance(is_preapproved, bool):
        raise InvalidInput("preapproved must be true or false.")
    invited = await services().invitations.invite(
        actor(),
        role=role_of(body) if "role" in body else Role.APPRENTICE,
        name=name,
        max_uses=_whole(body, "uses", 1),
        lifetime_s=_lifetime_s(body, 7 * _DAY_S),
        is_preapproved=is_preapproved,
    )
    return await _shown(invited), 201


@blueprint.post("/api/admin/users/<user_id>/login-link")
@requires(Role.ARCHITECT)
@document_request(LoginLinkRequest)
@answers(NewInvitation, 201)
@fails(NotFound, InvalidInput, Conflict)
async def post_login_link(user_id: str) -> ResponseReturnValue:
    """Makes a link with which a user gets back into their account, once."""
    body = await request.get_json()
    invited = await services().invitations.issue_login_link(
        user_id, actor(), lifetime_s=_lifetime_s(body, 3600)
    )
    return await _shown(invited), 201


@blueprint.delete("/api/admin/invitations/<invitation_id>")
@requires(Role.ARCHITECT)
@answers(status=204)
@fails(NotFound)
async def delete_invitation(invitation_id: str) -> ResponseReturnValue:
    """Withdraws an invitation. Who came with it stays."""
    await services().invitations.revoke(invitation_id, actor())
    return "", 204


async def _shown(invited: Invited) -> NewInvitation:
    origin = await services().hosts.origin_for_friends(request.scope)  # type: ignore[arg-type]
    link = f"{origin}/?code={invited.code}"
    return {
        **admin_invitation(invited.invitation),
        "code": invited.code,
        "link": link,
        "qr_svg": qr.svg(link),
        "qr_png": qr.png_uri(link),
    }


def _lifetime_s(body: dict[str, Any], default_s: int) -> float | None:
    if "expires_in_s" in body and body["expires_in_s"] is None:
        return None
    return float(_whole(body, "expires_in_s", default_s))


def _whole(body: dict[str, Any], name: str, default: int) -> int:
    try:
        return whole_number(body.get(name, default))
    except ValueError as error:
        raise InvalidInput(f"{name} must be a whole number.") from error
