"""Tests of `app/web/errors.py`: every error leaves as JSON of one shape, with no cause in it."""

import asyncio
import logging
import sqlite3
from urllib.parse import urlsplit

import pytest
from pydantic import BaseModel, ValidationError
from quart_schema import RequestSchemaValidationError
from tortoise.exceptions import DBConnectionError
from werkzeug.exceptions import (
    BadGateway,
    BadRequest,
    MethodNotAllowed,
    RequestTimeout,
)
from werkzeug.exceptions import NotFound as WerkzeugNotFound

import app.errors
from app.errors import InvalidInput, NavigatorError, UpstreamFailed, UpstreamUnavailable
from app.web.errors import body_of, translated
from tests.contract import exchange
from tests.running import JOB_PATH, RunningNavigator

KINDS = [
    kind
    for kind in vars(app.errors).values()
    if isinstance(kind, type) and issubclass(kind, NavigatorError)
]


class Shape(BaseModel):
    """A body with fields of several kinds."""

    name: str
    size: int = 1
    entries: list[int] = []


def refusal_of(body: object) -> InvalidInput:
    """What becomes of a body that is no `Shape`."""
    with pytest.raises(ValidationError) as caught:
        Shape.model_validate(body)
    error = translated(RequestSchemaValidationError(caught.value))
    assert isinstance(error, InvalidInput)
    return error


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_the_same_shape(kind: type[NavigatorError]) -> None:
    is_upstream = issubclass(kind, UpstreamFailed | UpstreamUnavailable)
    error = kind("It failed.", service="forge") if is_upstream else kind("It failed.")  # type: ignore[call-arg]
    assert body_of(error) == {
        "error": "It failed.",
        "error_code": error.code,
        "message": "It failed.",
    }
    assert error.code == error.code.upper()
    assert 400 <= error.status < 600
    assert translated(error) is error


def test_old_clients_find_the_recorded_summary_in_message() -> None:
    error = InvalidInput("jwt malformed", code="C", summary="Unauthorized")
    assert body_of(error) == {
        "error": "jwt malformed",
        "error_code": "C",
        "message": "Unauthorized",
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (MethodNotAllowed(["GET"]), 404, "UNKNOWN_ROUTE"),
        (WerkzeugNotFound(), 404, "UNKNOWN_ROUTE"),
        (BadRequest(), 400, "BAD_REQUEST"),
        (RequestTimeout(), 408, "REQUEST_TIMEOUT"),
        (BadGateway("secret"), 500, "INTERNAL"),
        (DBConnectionError("secret"), 503, "DATABASE_UNAVAILABLE"),
        (ZeroDivisionError("secret"), 500, "INTERNAL"),
        (sqlite3.OperationalError("secret"), 500, "INTERNAL"),
    ],
)
def test_foreign_errors_become_ours(error: Exception, status: int, code: str) -> None:
    ours = translated(error)
    assert (ours.status, ours.code) == (status, code)
    assert "secret" not in str(body_of(ours))


def test_unexpected_error_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    translated(ZeroDivisionError("the cause"))
    assert "the cause" in caplog.text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": 5}, ["name:", "string"]),
        ({"name": "a", "size": "x"}, ["size:", "integer"]),
        ({"name": "a", "entries": [1, "x"]}, ["entries:", "integer"]),
        ([], ["The body", "Shape"]),
    ],
)
def test_invalid_fields_are_named(body: object, words: list[str]) -> None:
    error = refusal_of(body)
    assert [word for word in words if word not in error.message] == []


def test_missing_fields_are_told_as_recorded_and_named() -> None:
    assert refusal_of({}).message == f"{exchange(132).answer['error']}: name"


async def test_unknown_addresses_and_methods_are_404_in_json(server: RunningNavigator) -> None:
    for number in (2, 3, 6):
        answer = await server.replay(exchange(number))
        assert answer.status == exchange(number).status == 404
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json["error_code"] == "UNKNOWN_ROUTE"
        assert answer.json["error"] == answer.json["message"]
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        for path in ("/", "/api/models", "/api/images/x", JOB_PATH, "/nothing"):
            answer = await server.request(method, path)
            assert (answer.status, answer.json["error_code"]) == (404, "UNKNOWN_ROUTE")


async def test_absurd_requests_never_break_the_server(server: RunningNavigator) -> None:
    requests = [
        ("GET", "/" + "x" * 30_000, {}),
        ("GET", "/%00%ff%2e%2e/%2e%2e", {}),
        ("GET", "/api/models?" + "a=b&" * 5_000, {}),
        ("GET", "/", {f"x-{number}": "y" * 100 for number in range(90)}),
        ("GET", "/", {"Cookie": "a=b;" * 1_000, "Accept": "\xff", "Host": "<script>"}),
        ("POST", JOB_PATH, {"Content-Type": "multipart/form-data"}),
    ]
    for method, path, headers in requests:
        answer = await server.request(method, path, headers=headers)
        assert answer.status < 500, path[:40]


async def test_client_that_breaks_off_leaves_nothing_in_the_log(
    server: RunningNavigator, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    for head in ("", f"Authorization: Bearer {token}\r\n"):
        _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(server.url).port)
        writer.write(
            f"POST {JOB_PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f'{head}Content-Length: 1000\r\n\r\n{{"prompt":'.encode()
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (await server.get("/")).status == 200
    await server.stop()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
