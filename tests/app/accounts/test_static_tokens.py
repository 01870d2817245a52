"""Tests of `app/accounts/static_tokens.py`: whose a token is, and who may go on guessing."""

import pytest

from app.accounts.static_tokens import StaticTokens
from app.accounts.throttle import Throttle
from app.errors import Throttled

TOKEN = "a token of twenty-four letters"
OTHER = "another token of thirty letters"
JWT = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJkaXNjb3JkX2lkIjoiMSJ9.c2lnbmF0dXJl"
FAR = "198.51.100.7"


@pytest.fixture
def tokens() -> StaticTokens:
    """Two tokens, and an owner who has none."""
    throttle = Throttle(burst=3, interval_s=60, clock=lambda: 0.0)
    return StaticTokens({"superuser": TOKEN, "launcher": OTHER, "nobody": None}, throttle)


def guess(tokens: StaticTokens, given: str = "a guess", address: str = FAR) -> None:
    """One that is wrong."""
    assert tokens.owner_of(given, address) is None


def test_owner_is_found_by_the_whole_token(tokens: StaticTokens) -> None:
    assert tokens.owner_of(TOKEN) == "superuser"
    assert tokens.owner_of(OTHER, FAR) == "launcher"
    for given in ("", "None", TOKEN[:-1], f"{TOKEN} ", f"Bearer {TOKEN}", "\xff", "🙂"):
        assert tokens.owner_of(given) is None


def test_who_guesses_is_refused_whatever_they_say(tokens: StaticTokens) -> None:
    for number in range(3):
        guess(tokens, f"guess {number}")
    for given in ("guess 4", TOKEN):
        with pytest.raises(Throttled):
            tokens.owner_of(given, FAR)
    assert tokens.owner_of(TOKEN, "198.51.100.8") == "superuser"


def test_guesses_over_ipv6_count_for_the_network(tokens: StaticTokens) -> None:
    for number in range(3):
        guess(tokens, address=f"2001:db8::{number}")
    with pytest.raises(Throttled):
        tokens.owner_of(TOKEN, "2001:db8::99")


def test_logins_are_no_guesses_and_are_never_refused(tokens: StaticTokens) -> None:
    for _ in range(10):
        guess(tokens, JWT)
        guess(tokens, JWT.removeprefix("Bearer "))
        guess(tokens, "")
        guess(tokens, "  ")
    assert tokens.owner_of(TOKEN, FAR) == "superuser"
    for _ in range(3):
        guess(tokens)
    guess(tokens, JWT)


def test_right_tokens_do_not_count(tokens: StaticTokens) -> None:
    for _ in range(20):
        assert tokens.owner_of(TOKEN, FAR) == "superuser"


def test_without_an_address_nobody_is_refused(tokens: StaticTokens) -> None:
    for _ in range(20):
        assert tokens.owner_of("a guess") is None


def test_program_is_let_in_from_an_address_that_guesses() -> None:
    throttle = Throttle(burst=1, interval_s=60, clock=lambda: 0.0)
    tokens = StaticTokens({"superuser": TOKEN}, throttle, drawn={"launcher": OTHER})
    guess(tokens)
    with pytest.raises(Throttled):
        tokens.owner_of(TOKEN, FAR)
    assert tokens.owner_of(OTHER, FAR) == "launcher"
    with pytest.raises(Throttled):
        tokens.owner_of(f"{OTHER}x", FAR)
