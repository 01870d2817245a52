"""How a simulated Forge is started."""

import pytest

from app.simulator.options import SimulatorOptions


@pytest.mark.parametrize(
    ("api_auth", "users"),
    [
        (None, {}),
        ("", {}),
        ("me:secret", {"me": "secret"}),
        ("me:a:b,you:c", {"me": "a:b", "you": "c"}),
        ("nobody", {}),
    ],
)
def test_users_are_read_from_the_flag(api_auth: str | None, users: dict[str, str]) -> None:
    assert SimulatorOptions(api_auth=api_auth).users() == users
