"""Every route is described in `/openapi.json`, with who may call it and what it answers."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from quart import Quart

import app.web
from app.web.access import RULE_ATTRIBUTE
from app.web.application import RAW_MODULES, quart_app
from app.web.docs_routes import EXTENSION

HOW = "see 'A route' in CONTRIBUTING.md"


@pytest.fixture(scope="module")
def quart() -> Quart:
    """All routes of the framework's; none can be called."""
    return quart_app(None)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def document(quart: Quart) -> Any:
    """What `/openapi.json` says."""
    return orjson.loads(quart.extensions[EXTENSION].content)


def test_every_route_is_described_with_its_access_rule(quart: Quart, document: Any) -> None:
    for method, path, rule in routes(quart):
        described = document["paths"].get(_template(path), {}).get(method)
        assert described is not None, f"{method.upper()} {path} is not described; {HOW}"
        assert described["x-access-rule"] == rule, f"{method.upper()} {path}"


def test_every_route_without_the_framework_is_joined(quart: Quart) -> None:
    for module in pkgutil.iter_modules(app.web.__path__, "app.web."):
        loaded = importlib.import_module(module.name)
        rules = getattr(loaded, "ACCESS_RULES", None)
        if rules is None:
            continue
        assert loaded in RAW_MODULES, f"{module.name} is missing in RAW_MODULES of application.py"
        undescribed = set(rules) - set(loaded.DOCUMENTED)
        assert not undescribed, f"{module.name}: DOCUMENTED lacks {undescribed}; {HOW}"


def test_every_route_says_what_it_answers(document: Any) -> None:
    for name, operation in operations(document):
        answered = [status for status in operation["responses"] if int(status) < 400]
        assert answered, (
            f"{name} does not say what it answers: give its handler '@answers(…)' or a TypedDict "
            f"as its return type; {HOW}"
        )
        assert operation["summary"], f"{name}: its handler has no docstring"
        assert "default" not in operation["responses"], f"{name}: that would hide what is missing"


def test_every_protected_route_says_how_it_refuses(document: Any) -> None:
    for name, operation in operations(document):
        if operation["x-access-rule"] != "public":
            assert {"401", "403"} <= operation["responses"].keys(), name
            assert {"bearer": []} in operation["security"], name


def test_every_route_with_a_body_says_which(document: Any) -> None:
    """What needs a body and shows none cannot be tried in `/docs`."""
    silent = [
        name
        for name, operation in operations(document)
        if name.split()[0] in {"PUT", "PATCH"} and "requestBody" not in operation
    ]
    assert silent == []


def test_names_of_operations_are_unique(document: Any) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert sorted(set(ids)) == sorted(ids)


def routes(quart: Quart) -> Iterator[tuple[str, str, str | None]]:
    """Method, path and access rule of every route."""
    for module in RAW_MODULES:
        for path, rule in module.ACCESS_RULES.items():
            yield "get", path, rule
    for route in quart.url_map.iter_rules():
        handler = quart.view_functions[route.endpoint]
        for method in (route.methods or set()) - {"HEAD", "OPTIONS"}:
            yield method.lower(), route.rule, getattr(handler, RULE_ATTRIBUTE, None)


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    """Method and path, and what is said of them."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def _template(path: str) -> str:
    return re.sub(r"<(?:[^:>]*:)?([^>]+)>", r"{\1}", path)
