"""Tests of `app/accounts/directory.py`, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from app.accounts.caller import DEMO_USER_ID, SUPERUSER_ID
from app.accounts.directory import State, find_user, is_after, snapshot, state_of, user_page
from app.accounts.models import User
from app.accounts.roles import Approval, Role
from app.errors import NotFound
from tests.app.accounts.people import add_user

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 4, tzinfo=UTC)
STATES = {
    "knocks": State.PENDING,
    "in": State.APPROVED,
    "out": State.DISABLED,
    "roleless": State.DISABLED,
    "gone": State.FORGOTTEN,
    "named": State.UNKNOWN,
}


async def add_everybody() -> None:
    """One user of each kind, and those that Navigator makes."""
    await add_user("knocks", Role.NONE, Approval.PENDING)
    await User.filter(id="knocks").update(knocked_at=NOW)
    await add_user("in")
    await add_user("out", Role.NONE, Approval.DENIED)
    await add_user("roleless", Role.NONE)
    await add_user("gone", Role.NONE, Approval.DENIED)
    await User.filter(id="gone").update(forgotten_at=NOW)
    await add_user("named", Role.NONE, Approval.PENDING)
    for user_id in (SUPERUSER_ID, DEMO_USER_ID):
        await add_user(user_id, Role.APEX)


async def test_everybody_is_in_one_state_and_listed_there() -> None:
    await add_everybody()
    assert {user_id: state_of(await User.get(id=user_id)) for user_id in STATES} == STATES
    for state in State:
        page = await user_page(1, 50, state=state)
        expected = {user_id for user_id, one in STATES.items() if one == state}
        assert {user.id for user in page.users} == expected
        assert page.count == len(expected)
    assert {user.id for user in (await user_page(1, 50)).users} == set(STATES)


async def test_pages_show_each_user_once() -> None:
    for number in range(7):
        await add_user(f"user{number}")
    pages = [await user_page(number, 3) for number in (1, 2, 3, 4)]
    assert [len(page.users) for page in pages] == [3, 3, 1, 0]
    assert len({user.id for page in pages for user in page.users}) == 7
    assert {page.count for page in pages} == {7}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("mira", {"1", "mira9"}),
        ("MIRA", {"1", "mira9"}),
        ("9", {"mira9"}),
        ("%", {"100%"}),
        ("_", set()),
    ],
)
async def test_search_is_in_name_or_id(search: str, found: set[str]) -> None:
    await User.create(id="1", name="Mira Blau")
    await User.create(id="mira9", name="Ben")
    await User.create(id="100%", name="Zoë")
    assert {user.id for user in (await user_page(1, 50, search=search)).users} == found


@pytest.mark.parametrize("user_id", ["", "nobody", "IN", "in ", "x" * 65, "x" * 5000])
async def test_ids_that_are_none_are_not_found(user_id: str) -> None:
    await add_user("in")
    with pytest.raises(NotFound) as caught:
        await find_user(user_id)
    assert caught.value.code == "USER_NOT_FOUND"
    assert (await find_user("in")).id == "in"


async def test_events_tell_the_state_of_now() -> None:
    user = await add_user("in", Role.ARTIFICER)
    told = snapshot(user)
    assert (told.id, told.name, told.role, told.approval) == ("in", "In", 2, "approved")


def test_moments_of_the_future_are_not_after() -> None:
    hour = timedelta(hours=1)
    assert is_after(NOW, NOW - hour, NOW)
    assert not is_after(NOW, NOW, NOW + hour)
    assert not is_after(NOW + hour, NOW - hour, NOW)
    assert not is_after(None, NOW, NOW)
