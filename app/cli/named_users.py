"""Finds the user that is meant on a command line, by id, or by a name that only they have."""

import re
from urllib.parse import quote

from app.cli.admin_api import AdminApi, JsonObject, Refused
from app.errors import NavigatorError

_PATH = "/api/admin/users"
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_MAX_SEARCH_CHARS = 100


def user_path(user_id: str) -> str:
    """Where the API has this user."""
    return f"{_PATH}/{quote(user_id, safe='')}"


async def find_user(api: AdminApi, given: str) -> JsonObject:
    """The `AdminUser` whose id is `given`, or whose whole name it is.

    Raises `NavigatorError` if there is none, or if several have the name: names are what their
    owners say, so a guess could let the wrong one in.
    """
    if _ID.fullmatch(given):
        try:
            return await api.call("GET", user_path(given))
        except Refused as error:
            if error.code != "USER_NOT_FOUND":
                raise
    named: list[JsonObject] = []
    if 0 < len(given.strip()) <= _MAX_SEARCH_CHARS:
        found = await api.pages(_PATH, "users", search=given)
        named = [user for user in found["users"] if user["name"] == given]
    if not named:
        raise NavigatorError(f"There is no user with the id or name {given}.")
    if len(named) > 1:
        ids = ", ".join(str(user["id"]) for user in named)
        raise NavigatorError(f"Several users are called {given}; name one by id: {ids}.")
    return named[0]
