"""JSON schemas of the types that handlers take and give."""

import dataclasses
import inspect
import typing
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, TypeAdapter
from typing_extensions import is_typeddict

Json = dict[str, Any]
Components = dict[str, Json]
_REFERENCE = "#/components/schemas/{model}"


def reference(name: str) -> Json:
    """The schema that means the named type."""
    return {"$ref": _REFERENCE.format(model=name)}


def schema_of(
    type_: Any, mode: typing.Literal["validation", "serialization"] = "serialization"
) -> tuple[Json, Components]:
    """The JSON schema of a type, a reference if it has a name, and the named types it uses."""
    schema = TypeAdapter(type_).json_schema(ref_template=_REFERENCE, mode=mode)
    components = schema.pop("$defs", {})
    if "properties" in schema and "title" in schema:
        name = schema["title"]
        components[name] = schema
        return reference(name), components
    return schema, components


def returned_type(handler: Callable[..., Any]) -> Any:
    """The type that a handler returns, None unless it says what is in the answer."""
    try:
        type_ = typing.get_type_hints(handler).get("return")
    except NameError:  # a name that only type checkers know, as in quart's own types
        return None
    return type_ if _is_telling(type_) and type_ not in (str, bytes) else None


def _is_telling(type_: Any) -> bool:
    if typing.get_origin(type_) is list:
        return _is_telling(typing.get_args(type_)[0])
    is_model = isinstance(type_, type) and issubclass(type_, BaseModel)
    is_scalar = type_ in (str, int, float, bool)
    return is_model or is_scalar or is_typeddict(type_) or dataclasses.is_dataclass(type_)


def add(components: Components, more: Components) -> None:
    """Adds named types. Raises ValueError when two different ones have the same name."""
    for name, schema in more.items():
        if components.setdefault(name, schema) != schema:
            raise ValueError(f"two different types of answers are named {name}")


def first_line(text: str | None) -> str:
    """The first line of a docstring."""
    return inspect.cleandoc(text or "").partition("\n")[0]
