"""Answers of Navigator's, held against its own description of them in `/openapi.json`."""

import copy
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol

import jsonschema_rs
import orjson

Json = dict[str, Any]


class Answered(Protocol):
    """What came back for a request."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, found in any case."""

    @property
    def content(self) -> bytes:
        """The body."""


class Documentation:
    """An OpenAPI document. Here answers may have no keys that it does not know."""

    def __init__(self, document: Json):
        self.document = closed(document)

    def check(self, method: str, path: str, answer: Answered) -> None:
        """Raises AssertionError unless the answer is documented.

        Not judged here: socket.io, routes that are none of ours, and 500, which every route may
        answer when a test breaks something on purpose.
        """
        route = self._route(path)
        operation = self.document["paths"][route].get(_documented(method)) if route else None
        if operation is None or answer.status == 500:
            return
        name = f"{method} {route}"
        response = operation["responses"].get(str(answer.status))
        assert response is not None, (
            f"{name} answered with {answer.status}, which is not documented; "
            f"see '@answers' and '@fails' in app/web/documentation.py: {answer.content[:200]!r}"
        )
        if method != "HEAD":
            problem = self._problem(response.get("content", {}), answer)
            assert problem is None, f"{name}, {answer.status}: {problem}"

    def _problem(self, contents: Json, answer: Answered) -> str | None:
        """What is wrong with the body."""
        if not contents:
            return (
                f"a body that is not documented: {answer.content[:80]!r}"
                if answer.content
                else None
            )
        media_type = answer.headers.get("Content-Type", "").partition(";")[0]
        if "*/*" in contents:
            return None
        if media_type not in contents:
            return f"{media_type} is not documented"
        schema = contents[media_type].get("schema")
        if schema is None:
            return None
        rooted = schema | {"components": self.document["components"]}
        found = next(jsonschema_rs.iter_errors(rooted, orjson.loads(answer.content)), None)
        return None if found is None else f"{found.instance_path}: {found.message}"

    def _route(self, path: str) -> str | None:
        asked = path.partition("?")[0].removesuffix("/") or "/"
        if asked.startswith("/socket.io"):
            return None
        return next((route for route, shape in self._shapes if shape.fullmatch(asked)), None)

    @cached_property
    def _shapes(self) -> list[tuple[str, re.Pattern[str]]]:
        """The routes and what their paths look like; those without parameters first."""
        routes = sorted(self.document["paths"], key=lambda route: (route.count("{"), route))
        return [(route, re.compile(_shape(route), re.IGNORECASE)) for route in routes]


def _shape(route: str) -> str:
    """What its paths look like; a parameter called `path` holds slashes."""
    rest = re.escape(route).replace(r"\{path\}", ".+")
    return re.sub(r"\\{[^}]+\\}", "[^/]+", rest)


def closed(document: Json) -> Json:
    """A copy in which answers have no other keys than the documented ones."""
    copied = copy.deepcopy(document)
    schemas = copied["components"]["schemas"]
    responses = [
        operation["responses"]
        for operations in copied["paths"].values()
        for operation in operations.values()
    ]
    names = _names(responses)
    waiting = list(names)
    while waiting:
        more = _names(schemas[waiting.pop()]) - names
        names |= more
        waiting += more
    for name in names:
        if "properties" in schemas[name]:
            schemas[name].setdefault("additionalProperties", False)
    return copied


def _names(part: object) -> set[str]:
    """The named types that a part of a document refers to."""
    return set(re.findall(r'"#/components/schemas/([^"]+)"', orjson.dumps(part).decode()))


def _documented(method: str) -> str:
    return "get" if method == "HEAD" else method.lower()
