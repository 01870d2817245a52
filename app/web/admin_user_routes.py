"""Users, for administrators: lists, and every decision about one."""

from dataclasses import dataclass
from typing import Any

from quart import Blueprint, request
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request

from app.accounts.audit import audit_page
from app.accounts.directory import State, find_user, user_page
from app.accounts.people import LastApex
from app.accounts.roles import Role
from app.errors import Conflict, InvalidInput, NotFound
from app.web.access import actor, requires
from app.web.documentation import answers, fails
from app.web.numbers import number_or_default, whole_number
from app.web.people_answers import (
    AdminUser,
    AdminUsers,
    AuditLog,
    admin_user,
    audit_log_entry,
)
from app.web.services import services

blueprint = Blueprint("users", __name__)

_MAX_PAGE = 2**31
_MAX_PAGE_SIZE = 200
_DEFAULT_PAGE_SIZE = 50
_MAX_SEARCH_CHARS = 100


@dataclass
class UsersQuery:
    """`state` is one of those of a user, or empty for all; `search` is in their name or id."""

    page: int = 1
    limit: int = _DEFAULT_PAGE_SIZE
    state: str = ""
    search: str = ""


@dataclass
class AuditQuery:
    """`subject` is the id of a user, or empty for everything."""

    page: int = 1
    limit: int = _DEFAULT_PAGE_SIZE
    subject: str = ""


@dataclass
class Approval:
    """`role` is from 1 to 4; without it, that of the invitation they came with, or 1."""

    role: int | None = None


@dataclass
class NewRole:
    """`role` is from 1 to 4, and not above the caller's."""

    role: int


@dataclass
class ForgetQuery:
    """`pictures` says whether their pictures go too."""

    pictures: bool = False


@blueprint.get("/api/admin/users")
@requires(Role.ARCHITECT)
@document_querystring(UsersQuery)
@fails(InvalidInput)
async def get_users() -> AdminUsers:
    """A page of users, the newest first."""
    state = request.args.get("state", "")
    if state and state not in set(State):
        raise InvalidInput(f"state must be one of {', '.join(State)}.")
    search = request.args.get("search", "").strip()
    if not search.isprintable():
        raise InvalidInput("search must be printable text.")
    if len(search) > _MAX_SEARCH_CHARS:
        raise InvalidInput(f"search must have at most {_MAX_SEARCH_CHARS} characters.")
    page, limit = page_and_limit()
    found = await user_page(page, limit, state=State(state) if state else None, search=search)
    return {"count": found.count, "page": page, "users": [admin_user(one) for one in found.users]}


@blueprint.get("/api/admin/users/<user_id>")
@requires(Role.ARCHITECT)
@fails(NotFound)
async def get_user(user_id: str) -> AdminUser:
    """One user."""
    return admin_user(await find_user(user_id))


@blueprint.post("/api/admin/users/<user_id>/approve")
@requires(Role.ARCHITECT)
@document_request(Approval)
@fails(NotFound, InvalidInput)
async def post_approve(user_id: str) -> AdminUser:
    """Lets a user in. Somebody who is in keeps a higher role."""
    body = await request.get_json()
    role = None if body.get("role") is None else role_of(body)
    return admin_user(await services().people.approve(user_id, actor(), role=role))


@blueprint.post("/api/admin/users/<user_id>/deny")
@requires(Role.ARCHITECT)
@fails(NotFound, InvalidInput, Conflict)
async def post_deny(user_id: str) -> AdminUser:
    """Refuses a user who asks to come in."""
    return admin_user(await services().people.deny(user_id, actor()))


@blueprint.post("/api/admin/users/<user_id>/disable")
@requires(Role.ARCHITECT)
@fails(NotFound, InvalidInput, LastApex)
async def post_disable(user_id: str) -> AdminUser:
    """Shuts a user out at once: tokens are void, sockets are closed."""
    return admin_user(await services().people.disable(user_id, actor()))


@blueprint.post("/api/admin/users/<user_id>/role")
@requires(Role.ARCHITECT)
@document_request(NewRole)
@fails(NotFound, InvalidInput, Conflict, LastApex)
async def post_role(user_id: str) -> AdminUser:
    """Gives a user another role, not above the caller's own."""
    role = role_of(await request.get_json())
    return admin_user(await services().people.set_role(user_id, role, actor()))


@blueprint.post("/api/admin/users/<user_id>/sign-out")
@requires(Role.ARCHITECT)
@fails(NotFound, InvalidInput)
async def post_sign_out_user(user_id: str) -> AdminUser:
    """Makes all tokens of a user void; they may log in again."""
    return admin_user(await services().people.sign_out(user_id, actor()))


@blueprint.delete("/api/admin/users/<user_id>")
@requires(Role.ARCHITECT)
@document_querystring(ForgetQuery)
@answers(status=204)
@fails(NotFound, InvalidInput, LastApex)
async def delete_user(user_id: str) -> ResponseReturnValue:
    """Erases what is known of a user, and shuts them out. Their pictures stay unless asked."""
    with_pictures = request.args.get("pictures", "").lower() in {"true", "1", "yes"}
    await services().people.forget(user_id, actor(), with_pictures=with_pictures)
    return "", 204


@blueprint.get("/api/admin/audit")
@requires(Role.ARCHITECT)
@document_querystring(AuditQuery)
@fails(InvalidInput)
async def get_audit() -> AuditLog:
    """Who did what to whom, newest first."""
    page, limit = page_and_limit()
    found = await audit_page(page, limit, subject=request.args.get("subject") or None)
    entries = [audit_log_entry(entry) for entry in found.entries]
    return {"count": found.count, "page": page, "entries": entries}


def page_and_limit() -> tuple[int, int]:
    """Which page is asked for, and its size. Raises `InvalidInput`."""
    arguments = request.args
    page = number_or_default(arguments.get("page"), "page", default=1, at_most=_MAX_PAGE)
    limit = number_or_default(
        arguments.get("limit"), "limit", default=_DEFAULT_PAGE_SIZE, at_most=_MAX_PAGE_SIZE
    )
    return page, limit


def role_of(body: dict[str, Any]) -> Role:
    """The `role` of a body. Raises `InvalidInput`."""
    try:
        role = Role(whole_number(body.get("role")))
    except ValueError as error:
        raise InvalidInput("role must be 1, 2, 3 or 4.") from error
    if role == Role.NONE:
        raise InvalidInput("role must be 1, 2, 3 or 4.")
    return role
