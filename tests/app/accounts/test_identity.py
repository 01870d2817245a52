"""Tests of `app/accounts/identity.py`."""

from app.accounts.identity import local_profile
from tests.contract import exchange


def test_profile_of_a_friend_without_discord_has_the_shape_that_clients_know() -> None:
    profile = local_profile("local-1", "Mira")
    recorded = exchange(29).answer["user"]
    assert {name: type(value) for name, value in profile.items()} == {
        name: type(value) for name, value in recorded.items()
    }
    assert (profile["id"], profile["username"], profile["global_name"]) == (
        "local-1", "Mira", "Mira",
    )  # fmt: skip
