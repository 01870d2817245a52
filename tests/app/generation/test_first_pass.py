"""Tests of `app/generation/first_pass.py`."""

from app.clients.forge_http import ForgeBroken
from app.generation.first_pass import FirstPass


def broken(message: str) -> ForgeBroken:
    return ForgeBroken(f"Forge answered 500: {message}", service="forge")


def test_answer_of_an_unpatched_forge_is_remembered_until_it_starts_anew() -> None:
    first_pass = FirstPass()
    assert first_pass.refused(broken("ValueError could not convert string to float: 'iVBO…"))
    assert first_pass.is_refused
    first_pass.forget()
    assert not first_pass.is_refused


def test_other_trouble_says_nothing_about_the_patch() -> None:
    first_pass = FirstPass()
    for message in ("Invalid encoded image", "OutOfMemoryError", ""):
        assert first_pass.refused(broken(message)) is None
    assert not first_pass.is_refused
