"""What a route answers, declared beside its handler. Only `openapi.py` reads it, no request does.

A handler whose return type is a TypedDict, a list of them or a model needs no `answers`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from app.errors import NavigatorError

H = TypeVar("H", bound=Callable[..., Any])
ANSWERS_ATTRIBUTE = "documented_answers"
ERRORS_ATTRIBUTE = "documented_errors"
# For quart-schema's `security_scheme`, at a public route that tells more to who is logged in.
OPTIONAL_LOGIN: list[dict[str, list[str]]] = [{}, {"bearer": []}, {"superuser": []}]


@dataclass(frozen=True)
class Content:
    """A body that is not JSON, of one of these media types."""

    media_types: tuple[str, ...]

    def __init__(self, *media_types: str):
        object.__setattr__(self, "media_types", media_types)


@dataclass(frozen=True)
class Answer:
    """One way of answering that is no error.

    `body` is the type of the JSON, a `Content`, or None for none. `headers` are those that
    clients may care for, with a sentence each.
    """

    body: Any = None
    status: int = 200
    description: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RawRoute:
    """A GET route that is served without the framework, described.

    A module that has some lists them in `DOCUMENTED`, beside its `ACCESS_RULES`. `request_headers`
    are optional ones, with a sentence each; so are the parameters of the `query`.
    """

    summary: str
    operation_id: str
    tag: str
    answers: tuple[Answer, ...]
    errors: tuple[type[NavigatorError], ...] = ()
    description: str = ""
    request_headers: Mapping[str, str] = field(default_factory=dict)
    query: type | None = None


class RawModule(Protocol):
    """A module with routes that are served without the framework."""

    ACCESS_RULES: dict[str, str]
    DOCUMENTED: dict[str, RawRoute]


def answers(
    body: Any = None,
    status: int = 200,
    *,
    description: str = "",
    headers: Mapping[str, str] | None = None,
) -> Callable[[H], H]:
    """Documents one way in which a handler answers; may stand several times. See `Answer`.

    Several of one status are several media types of it.
    """

    def declare(handler: H) -> H:
        answer = Answer(body, status, description, headers or {})
        known: tuple[Answer, ...] = getattr(handler, ANSWERS_ATTRIBUTE, ())
        setattr(handler, ANSWERS_ATTRIBUTE, (answer, *known))
        return handler

    return declare


def fails(*errors: type[NavigatorError]) -> Callable[[H], H]:
    """Documents the errors that a handler raises.

    Not needed for those that come with `requires` and with a body.
    """

    def declare(handler: H) -> H:
        known: tuple[type[NavigatorError], ...] = getattr(handler, ERRORS_ATTRIBUTE, ())
        setattr(handler, ERRORS_ATTRIBUTE, (*errors, *known))
        return handler

    return declare
