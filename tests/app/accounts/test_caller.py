"""Tests of `app/accounts/caller.py`."""

import pytest

from app.accounts.caller import COMMAND_LINE_ID, LAUNCHER_ID, SUPERUSER_ID, of_role
from app.accounts.roles import Role
from app.errors import Forbidden


@pytest.mark.parametrize("role", Role)
def test_each_role_may_what_those_below_may(role: Role) -> None:
    caller = of_role("somebody", role)
    for needed in Role:
        if needed <= role:
            caller.require(needed)
        else:
            with pytest.raises(Forbidden, match=needed.name):
                caller.require(needed)


def test_what_is_ones_own_may_be_used_and_everything_by_administrators() -> None:
    for role in Role:
        caller = of_role("somebody", role)
        assert caller.may_use("somebody")
        assert caller.may_use("other") == (role >= Role.ARCHITECT)


@pytest.mark.parametrize("program", [LAUNCHER_ID, COMMAND_LINE_ID])
def test_nothing_can_belong_to_a_program(program: str) -> None:
    with pytest.raises(Forbidden, match="no account"):
        of_role(program, Role.APEX).require_account()
    of_role(SUPERUSER_ID, Role.APEX).require_account()
