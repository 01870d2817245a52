"""Describes the API as OpenAPI 3.1, from what handlers declare. Built when somebody asks for it."""

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
from quart import Quart
from quart_schema.openapi import OpenAPIProvider
from quart_schema.validation import DataSource
from typing_extensions import is_typeddict
from werkzeug.routing import Rule

import app.errors as kinds
from app import __version__
from app.accounts.roles import Role
from app.errors import NavigatorError
from app.web.access import OWNER_ATTRIBUTE, RULE_ATTRIBUTE
from app.web.answers import Error
from app.web.documentation import (
    ANSWERS_ATTRIBUTE,
    ERRORS_ATTRIBUTE,
    OPTIONAL_LOGIN,
    Answer,
    Content,
    RawModule,
    RawRoute,
)
from app.web.json_schemas import (
    Components,
    Json,
    add,
    first_line,
    reference,
    returned_type,
    schema_of,
)
from app.web.openapi_text import DESCRIPTION, NEIGHBOURS, OF_A_BODY, SECURITY_SCHEMES, TAGS
from app.web.picture_access import PICTURE

_PARAMETER = re.compile(r"<(?:[^:>]*:)?([^>]+)>")
_LOGGED_IN: list[dict[str, list[str]]] = [{"bearer": []}, {"superuser": []}]


class Provider(OpenAPIProvider):
    """quart-schema's reader of handlers, with our answers, errors and access rules.

    Raises ValueError when two different types have the same name.
    """

    def document(self, raw_modules: Sequence[RawModule]) -> Json:
        """The whole description, the routes of `raw_modules` included."""
        paths: dict[str, Json] = {}
        components: Components = {}
        for rule in self.generate_rules():
            _merge(paths, components, *self.build_paths(rule))
        for module in raw_modules:
            for path, route in module.DOCUMENTED.items():
                _merge(paths, components, *self._raw(path, route, module.ACCESS_RULES[path]))
        add(components, schema_of(Error)[1])
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Navigator",
                "version": __version__,
                "summary": "Share one Stable Diffusion WebUI Forge with friends.",
                "description": DESCRIPTION,
                "license": {"name": "AGPL-3.0-only", "identifier": "AGPL-3.0-only"},
            },
            "servers": [{"url": "/"}],
            "tags": self._tags(paths),
            "paths": dict(sorted(paths.items())),
            "components": {
                "schemas": dict(sorted(components.items())),
                "securitySchemes": SECURITY_SCHEMES,
            },
        }

    def build_paths(self, rule: Rule) -> tuple[Json, Components]:
        """One route of the framework's."""
        paths, components = super().build_paths(rule)
        handler = self._app.view_functions[rule.endpoint]
        answers: Sequence[Answer] = getattr(handler, ANSWERS_ATTRIBUTE, ())
        returned = returned_type(handler)
        if returned is not None and all(answer.status != 200 for answer in answers):
            answers = (Answer(returned), *answers)
        errors: Iterable[type[NavigatorError]] = getattr(handler, ERRORS_ATTRIBUTE, ())
        access = getattr(handler, RULE_ATTRIBUTE, None)
        for operations in paths.values():
            for operation in operations.values():
                operation["description"] = operation.get("description", "").strip()
                operation.setdefault("tags", [rule.endpoint.rpartition(".")[0]])
                has_body = "requestBody" in operation
                responses, more = _responses(answers, errors, access, has_body=has_body)
                operation["responses"] |= responses
                add(components, more)
                _declare_access(operation, access)
                if owner := getattr(handler, OWNER_ATTRIBUTE, None):
                    operation["x-owner-rule"] = owner
        return paths, components

    def build_request_body(self, model: Any, source: DataSource) -> tuple[Json, Components]:
        """A body of JSON, as a named type."""
        schema, components = schema_of(model, mode="validation")
        return {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }, components

    def operation_id(self, method: str, path: str, func: Callable[..., Any]) -> str:
        """The handler's name, which begins with the method."""
        name = func.__name__
        return name if name.startswith(method.lower()) else f"{method.lower()}_{name}"

    def _raw(self, path: str, route: RawRoute, access: str) -> tuple[Json, Components]:
        parameters: list[Json] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _PARAMETER.findall(path)
        ]
        components: Components = {}
        if route.query is not None:
            more, components = self.build_querystring_parameters(route.query)
            parameters += more
        parameters += [
            {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
            for name, text in route.request_headers.items()
        ]
        responses, more_components = _responses(route.answers, route.errors, access, has_body=False)
        add(components, more_components)
        operation = {
            "summary": route.summary,
            "description": route.description,
            "operationId": route.operation_id,
            "tags": [route.tag],
            "parameters": parameters,
            "responses": responses,
        }
        _declare_access(operation, access)
        return {_PARAMETER.sub(r"{\1}", path): {"get": operation}}, components

    def _tags(self, paths: Mapping[str, Json]) -> list[Json]:
        used = {tag for path in paths.values() for route in path.values() for tag in route["tags"]}
        texts = {
            name: first_line(sys.modules[blueprint.import_name].__doc__)
            for name, blueprint in self._app.blueprints.items()
        } | TAGS
        return [{"name": name, "description": texts.get(name, "")} for name in sorted(used)]


class Specification:
    """The description of one application as bytes, made once."""

    def __init__(self, app: Quart, raw_modules: Sequence[RawModule]):
        self._provider: Provider = app.extensions["QUART_SCHEMA"].openapi_provider
        self._raw_modules = raw_modules
        self._content: bytes | None = None

    @property
    def content(self) -> bytes:
        """JSON. The first time takes a fraction of a second, so ask for it in a thread."""
        if self._content is None:
            self._content = orjson.dumps(self._provider.document(self._raw_modules))
        return self._content


def _responses(
    answers: Iterable[Answer],
    errors: Iterable[type[NavigatorError]],
    access: str | None,
    *,
    has_body: bool,
) -> tuple[Json, Components]:
    """The responses of an operation by status, and the types that they use."""
    components: Components = {}
    responses: Json = {}
    for answer in answers:
        response = responses.setdefault(
            str(answer.status), {"description": answer.description or _name_of(answer)}
        )
        content = response.setdefault("content", {}) if answer.body is not None else {}
        if isinstance(answer.body, Content):
            content |= {kind: {} for kind in answer.body.media_types}
        elif answer.body is not None:
            schema, more = schema_of(answer.body)
            add(components, more)
            content["application/json"] = {"schema": schema}
        if answer.headers:
            response["headers"] = {
                name: {"description": text, "schema": {"type": "string"}}
                for name, text in answer.headers.items()
            }
    for status, sentences in _refusals(errors, access, has_body=has_body).items():
        response = responses.setdefault(str(status), {"description": " ".join(sentences)})
        response.setdefault("content", {})["application/json"] = {"schema": reference("Error")}
    return responses, components


def _refusals(
    errors: Iterable[type[NavigatorError]], access: str | None, *, has_body: bool
) -> dict[int, list[str]]:
    """What an operation refuses with: sentences by status."""
    kinds_of: list[type[NavigatorError]] = [*errors]
    role = Role.__members__.get(access or "")
    if access == PICTURE or role is not None:
        kinds_of += [kinds.NotAuthenticated, kinds.NotApproved]
        kinds_of += [kinds.Throttled, kinds.UpstreamUnavailable]
        if role is not None and role > Role.APPRENTICE:
            kinds_of.append(kinds.Forbidden)
    found: dict[int, list[str]] = {}
    if has_body:
        found = {status: [sentence] for status, sentence in OF_A_BODY.items()}
    for kind in dict.fromkeys(kinds_of):
        found.setdefault(kind.status, []).append(
            NEIGHBOURS.get(kind.status) or first_line(kind.__doc__)
        )
    return dict(sorted(found.items()))


def _declare_access(operation: Json, access: str | None) -> None:
    operation["x-access-rule"] = access
    if access == PICTURE:
        operation["security"] = OPTIONAL_LOGIN
    elif access != "public":
        operation["security"] = _LOGGED_IN


def _name_of(answer: Answer) -> str:
    if is_typeddict(answer.body) or isinstance(answer.body, type):
        return first_line(answer.body.__doc__)
    return "Done." if answer.body is None else "What was asked for."


def _merge(paths: dict[str, Json], components: Components, more: Json, used: Components) -> None:
    for path, operations in more.items():
        paths.setdefault(path, {}).update(operations)
    add(components, used)
