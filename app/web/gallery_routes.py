"""A user's own gallery: pages of pictures, what is known of one, and categories."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from quart import Blueprint, request
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request

from app.accounts.roles import Role
from app.errors import InvalidInput, NotFound
from app.generation.stored_pictures import image_missing
from app.web.access import caller, requires
from app.web.documentation import answers, fails
from app.web.gallery_answers import Category, ImageMeta, JobsPage, NewCategory
from app.web.numbers import is_number, number_or_default, whole_number
from app.web.services import services

blueprint = Blueprint("gallery", __name__)

_MAX_PAGE = 2**31
_MAX_PAGE_SIZE = 10_000
_DEFAULT_PAGE_SIZE = 10
# The earlier Navigator stored names as base64 in 255 characters.
_MAX_NAME_BYTES = 189
_NO_CONTENT = ("", 204)
_NO_CATEGORY = -1  # a number that no category has


@dataclass
class JobsQuery:
    """`limit` is the size of a page. A `category_id` of 0 does not filter."""

    page: int = 1
    limit: int = _DEFAULT_PAGE_SIZE
    category_id: int = 0


@dataclass
class CategoryOfImage:
    """`categoryId` is a category of the caller's, or 0 for none."""

    categoryId: int  # noqa: N815 - its name on the wire


@dataclass
class CategoryName:
    """`name` has at most 189 bytes of UTF-8."""

    name: str


@blueprint.get("/api/user/jobs")
@requires(Role.APPRENTICE)
@document_querystring(JobsQuery)
@answers(JobsPage)
@fails(InvalidInput)
async def get_jobs() -> dict[str, Any]:
    """A page of the caller's finished pictures, newest first."""
    arguments = request.args
    page = number_or_default(arguments.get("page"), "page", default=1, at_most=_MAX_PAGE)
    limit = number_or_default(
        arguments.get("limit"), "limit", default=_DEFAULT_PAGE_SIZE, at_most=_MAX_PAGE_SIZE
    )
    found = await services().gallery.page(
        caller().user_id, number=page, size=limit, category_id=_category_filter()
    )
    pages = -(-found.count // limit)
    return {
        "count": found.count,
        "totalPages": pages,
        "currentPage": page,
        "previousPage": page - 1 if page > 1 else None,
        "nextPage": page + 1 if page < pages else None,
        "images": [{"id": id_, "category_id": category} for id_, category in found.pictures],
    }


@blueprint.delete("/api/user/image/<image_id>")
@requires(Role.APPRENTICE, owner_of="picture")
@answers(status=204)
async def delete_image(image_id: str) -> ResponseReturnValue:
    """Removes a picture of the caller's; no difference if there is none."""
    await services().removal.remove(image_id, owner_id=caller().user_id)
    return _NO_CONTENT


@blueprint.get("/api/user/image/<image_id>/meta")
@requires(Role.APPRENTICE, owner_of="picture", or_administrator=True)
@answers(ImageMeta)
@fails(NotFound)
async def get_image_meta(image_id: str) -> dict[str, Any]:
    """Category, time and owner of a picture of the caller's."""
    image = await services().gallery.find(image_id)
    if image is None or not caller().may_use(image.owner_id):
        raise image_missing()
    return {
        "category_id": image.category_id,
        "created_at": _iso(image.created_at),
        "message_id": None,
        "owner_id": image.owner_id,
    }


@blueprint.put("/api/user/image/<image_id>/category")
@requires(Role.APPRENTICE, owner_of="picture")
@document_request(CategoryOfImage)
@answers(status=204)
@fails(InvalidInput, NotFound)
async def put_image_category(image_id: str) -> ResponseReturnValue:
    """Puts a picture of the caller's into a category of theirs; 0 takes it out."""
    given = (await request.get_json()).get("categoryId")
    if given is None:
        raise InvalidInput("Missing required fields", code="MISSING_PARAMETERS")
    category_id = _category_id(given)
    await services().gallery.assign(image_id, category_id or None, owner_id=caller().user_id)
    return _NO_CONTENT


@blueprint.get("/api/user/categories")
@requires(Role.APPRENTICE)
@answers(list[Category])
async def get_categories() -> list[dict[str, Any]]:
    """The caller's categories, oldest first."""
    categories = await services().gallery.categories(caller().user_id)
    return [{"id": one.id, "owner_id": one.owner_id, "name": one.name} for one in categories]


@blueprint.post("/api/user/category")
@requires(Role.APPRENTICE)
@document_request(CategoryName)
@answers(NewCategory)
@fails(InvalidInput)
async def post_category() -> dict[str, int]:
    """A new category of the caller's."""
    caller().require_account()
    category = await services().gallery.add_category(caller().user_id, await _category_name())
    return {"id": category.id}


@blueprint.patch("/api/user/category/<category_id>")
@requires(Role.APPRENTICE, owner_of="category")
@document_request(CategoryName)
@answers(status=204)
@fails(InvalidInput, NotFound)
async def patch_category(category_id: str) -> ResponseReturnValue:
    """Renames a category of the caller's."""
    name = await _category_name()
    await services().gallery.rename_category(
        _category_id(category_id), name, owner_id=caller().user_id
    )
    return _NO_CONTENT


@blueprint.delete("/api/user/category/<category_id>")
@requires(Role.APPRENTICE, owner_of="category")
@answers(status=204)
@fails(InvalidInput)
async def delete_category(category_id: str) -> ResponseReturnValue:
    """Removes a category of the caller's; its pictures stay. No difference if there is none."""
    await services().gallery.remove_category(_category_id(category_id), owner_id=caller().user_id)
    return _NO_CONTENT


def _category_filter() -> int | None:
    """The category asked for; what is no number, 0, or given twice does not filter, as recorded."""
    given = request.args.getlist("category_id")
    if len(given) != 1:
        return None
    try:
        return whole_number(given[0]) or None
    except ValueError:
        return _NO_CATEGORY if is_number(given[0]) else None


def _category_id(given: object) -> int:
    try:
        return whole_number(given)
    except ValueError as error:
        raise InvalidInput("Category ID must be a number", code="INVALID_CATEGORY_ID") from error


async def _category_name() -> str:
    name = (await request.get_json()).get("name")
    if name is None:
        raise InvalidInput("missing required fields", code="MISSING_PARAMETERS")
    if not isinstance(name, str):
        raise InvalidInput("name must be text.")
    if "\0" in name:
        raise InvalidInput("name must not contain NUL characters.")
    if len(name.encode()) > _MAX_NAME_BYTES:
        raise InvalidInput("Category name is too long", code="NAME_TOO_LONG")
    return name


def _iso(moment: datetime) -> str:
    """As JavaScript writes a time: UTC, milliseconds, `Z`."""
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
    )
