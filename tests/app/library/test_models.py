"""Tests of `app/library/models.py`: what it takes to use a checkpoint."""

import pytest

from app.accounts.roles import Role
from app.library.models import ADMINISTRATORS, KnownCheckpoint


def test_administrators_are_those_of_the_accounts() -> None:
    assert ADMINISTRATORS == Role.ARCHITECT


@pytest.mark.parametrize(
    ("is_restricted", "required_role", "needed"),
    [(False, None, 0), (False, 4, 0), (True, None, ADMINISTRATORS), (True, 1, 1), (True, 4, 4)],
)
def test_only_a_restricted_checkpoint_needs_a_role(
    is_restricted: bool, required_role: int | None, needed: int
) -> None:
    row = KnownCheckpoint(is_restricted=is_restricted, required_role=required_role)
    assert row.needed_role == needed
