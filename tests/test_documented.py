"""Tests of `tests/documented.py`: it sees an answer that is not documented."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from tests.documented import Documentation, closed

REFERENCE = {"$ref": "#/components/schemas/Picture"}
DOCUMENT: dict[str, Any] = {
    "paths": {
        "/pictures/{picture_id}": {
            "get": {
                "responses": {
                    "200": {"content": {"application/json": {"schema": REFERENCE}}},
                    "204": {"description": "Nothing."},
                }
            }
        },
        "/pictures/newest": {"get": {"responses": {"200": {"content": {"image/png": {}}}}}},
    },
    "components": {
        "schemas": {
            "Picture": {
                "type": "object",
                "properties": {"id": {"type": "string"}, "next": REFERENCE},
                "required": ["id"],
            },
            "Wish": {"type": "object", "properties": {}},
        }
    },
}
JSON = {"Content-Type": "application/json; charset=utf-8"}


@dataclass
class Given:
    """An answer."""

    status: int = 200
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)


@pytest.fixture
def documentation() -> Documentation:
    """Of two routes."""
    return Documentation(DOCUMENT)


def picture(**keys: Any) -> Given:
    """A picture as JSON."""
    return Given(content=orjson.dumps(keys))


def test_documented_answers_pass(documentation: Documentation) -> None:
    documentation.check("GET", "/pictures/1?x=1", picture(id="1", next={"id": "2"}))
    documentation.check("GET", "/Pictures/1/", Given(204))
    documentation.check("HEAD", "/pictures/1", Given())
    documentation.check("GET", "/pictures/newest", Given(headers={"Content-Type": "image/png"}))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (picture(), "required"),
        (picture(id=1), "string"),
        (picture(id="1", other=1), "other"),
        (picture(id="1", next={"id": "2", "other": 1}), "other"),
        (Given(404), "GET /pictures/{picture_id} answered with 404"),
        (Given(204, b"x"), "body"),
        (Given(content=b"x", headers={"Content-Type": "text/html"}), "text/html"),
    ],
)
def test_other_answers_are_refused(
    documentation: Documentation, answer: Given, problem: str
) -> None:
    with pytest.raises(AssertionError, match=problem):
        documentation.check("GET", "/pictures/1", answer)


def test_routes_and_methods_that_are_none_of_ours_are_not_judged(
    documentation: Documentation,
) -> None:
    documentation.check("GET", "/nothing", Given(404))
    documentation.check("GET", "/pictures/1/2", Given(404))
    documentation.check("DELETE", "/pictures/1", Given(404))
    documentation.check("GET", "/socket.io/?EIO=4", Given(400))
    documentation.check("GET", "/pictures/1", Given(500))


def test_only_types_of_answers_are_closed() -> None:
    schemas = closed(DOCUMENT)["components"]["schemas"]
    assert schemas["Picture"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["Wish"]
    assert "additionalProperties" not in DOCUMENT["components"]["schemas"]["Picture"]
