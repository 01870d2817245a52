"""Tests of `app/cli/options.py`."""

import pytest

from app.accounts.roles import Role
from app.cli.options import ROLES, role_name, role_number


def test_roles_are_all_but_none() -> None:
    assert ROLES == ("apprentice", "artificer", "architect", "apex")


@pytest.mark.parametrize("word", ROLES)
def test_role_has_a_number_and_a_name(word: str) -> None:
    assert role_name(role_number(word)) == word
    assert role_number(word.upper()) == Role[word.upper()]


def test_role_of_a_newer_server_is_its_number() -> None:
    assert role_name(9) == "9"
