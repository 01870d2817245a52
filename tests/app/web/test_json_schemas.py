"""Tests of `app/web/json_schemas.py`: types become named schemas."""

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, Field
from quart import Response
from quart.typing import ResponseReturnValue

from app.web.answers import Limits
from app.web.job_answers import Done
from app.web.json_schemas import add, first_line, reference, returned_type, schema_of


class Shape(BaseModel):
    """A shape."""

    sides: int = Field(3, ge=3)


@dataclass
class Box:
    """A box."""

    shapes: list[Shape]


def test_named_type_is_a_reference_and_a_component() -> None:
    schema, components = schema_of(Box)
    assert schema == reference("Box") == {"$ref": "#/components/schemas/Box"}
    assert set(components) == {"Box", "Shape"}
    assert components["Box"]["properties"]["shapes"]["items"] == reference("Shape")
    assert components["Box"]["description"] == "A box."


def test_list_is_written_out_and_its_elements_are_named() -> None:
    schema, components = schema_of(list[Limits])
    assert schema == {"type": "array", "items": reference("Limits")}
    assert set(components) == {"Limits"}


@pytest.mark.parametrize("type_", [Limits, list[Limits], Shape, list[Box], list[str], list[int]])
def test_telling_return_type_needs_no_other_documentation(type_: Any) -> None:
    async def handler() -> None: ...

    handler.__annotations__["return"] = type_
    assert returned_type(handler) == type_


@pytest.mark.parametrize(
    "type_",
    [
        dict[str, Any],
        list[dict[str, Any]],
        Response,
        str,
        bytes,
        tuple[Limits, int],
        None,
        ResponseReturnValue,
    ],
)
def test_vague_return_type_tells_nothing(type_: Any) -> None:
    async def handler() -> None: ...

    handler.__annotations__["return"] = type_
    assert returned_type(handler) is None


def test_two_types_of_one_name_are_refused() -> None:
    components = schema_of(Limits)[1]
    add(components, schema_of(Limits)[1])
    add(components, schema_of(Done)[1])
    with pytest.raises(ValueError, match="Limits"):
        add(components, {"Limits": {"type": "object"}})


def test_first_line_of_a_docstring() -> None:
    assert first_line("  One.\n\n    Two.\n") == "One."
    assert first_line(None) == ""
