"""Tests of `app/cli/named_users.py`."""

import pytest

from app.cli.named_users import find_user, user_path
from app.errors import NavigatorError
from tests.app.cli.answering_api import Answers

ANNA = {"id": "1001", "name": "Anna"}
SEARCH = "GET /api/admin/users?page=1&limit=200&search="


def searched(text: str, *users: dict[str, str]) -> dict[str, object]:
    """The answer to a search."""
    return {SEARCH + text: {"count": len(users), "page": 1, "users": users}}


async def test_id_is_found_without_a_search() -> None:
    answers = Answers({"GET /api/admin/users/1001": ANNA})
    assert await find_user(answers.api, "1001") == ANNA
    assert answers.asked == ["GET /api/admin/users/1001"]


async def test_id_comes_before_a_name_that_somebody_chose() -> None:
    impostor = {"id": "666", "name": "1001"}
    answers = Answers({"GET /api/admin/users/1001": ANNA} | searched("1001", impostor))
    assert await find_user(answers.api, "1001") == ANNA


async def test_whole_name_is_found_if_one_has_it() -> None:
    answers = Answers(searched("Anna", ANNA, {"id": "2", "name": "Annabel"}))
    assert await find_user(answers.api, "Anna") == ANNA


async def test_name_of_several_is_refused_with_their_ids() -> None:
    answers = Answers(searched("Anna", ANNA, {"id": "2", "name": "Anna"}))
    with pytest.raises(NavigatorError, match=r"Several users .* 1001, 2\."):
        await find_user(answers.api, "Anna")


@pytest.mark.parametrize("given", ["Ann", "anna", ""])
async def test_part_of_a_name_is_nobody(given: str) -> None:
    answers = Answers(searched(given, ANNA))
    with pytest.raises(NavigatorError, match="There is no user"):
        await find_user(answers.api, given)


@pytest.mark.parametrize("given", ["..", "a/b", "x" * 101, " ", "?"])
async def test_what_is_no_id_gets_into_no_path(given: str) -> None:
    answers = Answers({})
    with pytest.raises(NavigatorError):
        await find_user(answers.api, given)
    assert not any(asked.startswith("GET /api/admin/users/") for asked in answers.asked)


def test_path_holds_any_id() -> None:
    assert user_path("a/b?c") == "/api/admin/users/a%2Fb%3Fc"
