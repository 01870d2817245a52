"""Tests of `app/web/documentation.py`: what stands beside a handler stays beside it."""

import inspect

from app.accounts.roles import Role
from app.errors import Conflict, NotFound
from app.web.access import requires
from app.web.answers import Limits
from app.web.documentation import (
    ANSWERS_ATTRIBUTE,
    ERRORS_ATTRIBUTE,
    Answer,
    Content,
    answers,
    fails,
)
from app.web.job_answers import Done


async def handler() -> dict[str, str]:
    """A handler."""
    return {}


def test_answers_and_errors_are_kept_in_the_order_they_are_written() -> None:
    documented = answers(Done)(answers(status=304)(fails(NotFound)(fails(Conflict)(handler))))
    assert getattr(documented, ANSWERS_ATTRIBUTE) == (Answer(Done), Answer(None, 304))
    assert getattr(documented, ERRORS_ATTRIBUTE) == (NotFound, Conflict)


def test_handler_itself_is_not_wrapped() -> None:
    assert answers(Done)(handler) is handler
    assert fails(NotFound)(handler) is handler


def test_documentation_is_seen_above_and_below_an_access_rule() -> None:
    async def get_limits() -> None:
        """A handler."""

    documented = fails(NotFound)(requires(Role.APEX)(answers(Limits)(get_limits)))
    assert getattr(documented, ANSWERS_ATTRIBUTE) == (Answer(Limits),)
    assert getattr(documented, ERRORS_ATTRIBUTE) == (NotFound,)
    assert not hasattr(inspect.unwrap(documented), ERRORS_ATTRIBUTE)


def test_content_has_media_types() -> None:
    assert Content("image/png", "image/webp").media_types == ("image/png", "image/webp")
