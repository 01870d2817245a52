"""Options that several commands have, and the words in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from app.accounts.roles import Role

F = TypeVar("F", bound=Callable[..., Any])

ROLES = tuple(role.name.lower() for role in Role if role != Role.NONE)


def role_number(word: str) -> int:
    """The role as the API wants it."""
    return int(Role[word.upper()])


def role_name(number: int) -> str:
    """The role as people call it."""
    try:
        return Role(number).name.lower()
    except ValueError:  # of a newer server
        return str(number)


def role_choice() -> click.Choice[str]:
    """One of the roles, in any case."""
    return click.Choice(ROLES, case_sensitive=False)


def common(command: F) -> F:
    """`--data-dir` and `--json`."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print what the API answers."),
        click.option(
            "--data-dir", type=click.Path(path_type=Path), help="Folder of everything we keep."
        ),
    ):
        command = option(command)
    return command
