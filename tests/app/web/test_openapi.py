"""Tests of `app/web/openapi.py`: the description of the API. See `tests/conventions/test_routes.py`
for what every route has to have in it.
"""

import inspect
import re
from typing import Any

import pytest
from quart import Quart
from quart_schema import QuartSchema, document_request

from app import __version__
from app.accounts.roles import Role
from app.errors import NotFound, UpstreamFailed
from app.web import wire
from app.web.access import public, requires
from app.web.answers import Limits
from app.web.documentation import Answer, Content, RawRoute, answers, fails
from app.web.job_answers import Done
from app.web.openapi import Provider, Specification
from tests.running import RunningNavigator


class Files:
    """Like a module with a route of its own."""

    ACCESS_RULES = {"/files/<file_id>": "ARTIFICER"}  # noqa: RUF012 - as in a module
    DOCUMENTED = {  # noqa: RUF012
        "/files/<file_id>": RawRoute(
            summary="A file.",
            operation_id="get_file",
            tag="files",
            answers=(Answer(Content("image/png"), headers={"ETag": "Of it."}), Answer(None, 304)),
            errors=(NotFound,),
            request_headers={"Range": "A part of it."},
        )
    }


@pytest.fixture
def document() -> Any:
    """The description of a small application."""
    app = Quart("small", static_folder=None)
    QuartSchema(app, openapi_path=None, openapi_provider_class=Provider)

    @app.get("/limits/<int:number>")
    @public
    async def get_limits(number: int) -> Limits:
        """The limits.

        Of that number.
        """
        return {"max_pixels": number}

    @app.route("/done", methods=["GET", "POST"])
    @requires(Role.ARCHITECT)
    @document_request(Limits)
    @answers(Done)
    @answers(status=204)
    @fails(UpstreamFailed)
    async def post_done() -> dict[str, Any]:
        """Does it."""
        return {"status": "success"}

    return app.extensions["QUART_SCHEMA"].openapi_provider.document([Files])


async def test_document_is_that_of_this_version(server: RunningNavigator) -> None:
    document = (await server.get("/openapi.json")).json
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["version"] == __version__
    assert document["info"]["license"]["identifier"] == "AGPL-3.0-only"
    assert document["servers"] == [{"url": "/"}]
    assert [tag for tag in document["tags"] if not tag["description"]] == []


async def test_every_event_of_the_realtime_api_is_named(server: RunningNavigator) -> None:
    description = (await server.get("/openapi.json")).json["info"]["description"]
    named = set(re.findall(r'return "([a-z-]+)"', inspect.getsource(wire.event)))
    assert len(named) >= 6
    assert [name for name in named if f"| `{name}` |" not in description] == []


def test_public_route_takes_its_answer_from_its_return_type(document: Any) -> None:
    operation = document["paths"]["/limits/{number}"]["get"]
    assert operation["summary"] == "The limits."
    assert operation["description"] == "Of that number."
    assert operation["operationId"] == "get_limits"
    assert operation["x-access-rule"] == "public"
    assert "security" not in operation
    assert operation["parameters"][0]["schema"] == {"type": "integer"}
    assert operation["responses"] == {
        "200": {
            "description": "`max_pixels` is width times height of a picture at most.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Limits"}}},
        }
    }


def test_refusals_come_with_the_role_and_the_body(document: Any) -> None:
    operation = document["paths"]["/done"]["post"]
    assert operation["x-access-rule"] == "ARCHITECT"
    assert operation["security"] == [{"bearer": []}, {"superuser": []}]
    expected = {"200", "204", "400", "401", "403", "408", "413", "429", "502", "503"}
    assert set(operation["responses"]) == expected
    assert "content" not in operation["responses"]["204"]
    errors = {
        str(response["content"]["application/json"]["schema"]["$ref"])
        for status, response in operation["responses"].items()
        if status >= "400"
    }
    assert errors == {"#/components/schemas/Error"}


def test_each_method_of_a_route_has_a_name_of_its_own(document: Any) -> None:
    operations = document["paths"]["/done"]
    assert operations["get"]["operationId"] == "get_post_done"
    assert operations["post"]["operationId"] == "post_done"


def test_route_without_the_framework_is_described_alike(document: Any) -> None:
    operation = document["paths"]["/files/{file_id}"]["get"]
    assert operation["x-access-rule"] == "ARTIFICER"
    assert [parameter["in"] for parameter in operation["parameters"]] == ["path", "header"]
    assert operation["responses"]["200"]["content"] == {"image/png": {}}
    assert "ETag" in operation["responses"]["200"]["headers"]
    assert set(operation["responses"]) == {"200", "304", "401", "403", "404", "429", "503"}


def test_every_error_is_one_shared_type(document: Any) -> None:
    error = document["components"]["schemas"]["Error"]
    assert error["required"] == ["error", "error_code", "message"]


def test_document_is_made_once() -> None:
    app = Quart("small", static_folder=None)
    QuartSchema(app, openapi_path=None, openapi_provider_class=Provider)
    specification = Specification(app, [])
    assert specification.content is specification.content
