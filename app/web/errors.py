"""The one renderer: every error leaves as `{"error", "error_code", "message"}`."""

import logging
from typing import Any

from pydantic import ValidationError
from quart import Quart
from quart_schema import RequestSchemaValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.database.connection import is_unavailable
from app.errors import InvalidInput, NavigatorError, NotFound, UpstreamUnavailable

log = logging.getLogger(__name__)

MISSING = "Missing required parameters"
_MAX_PROBLEMS = 3


def body_of(error: NavigatorError) -> dict[str, Any]:
    """The JSON of an error. Old clients read `error` or `message`, so both are there."""
    return {"error": error.message, "error_code": error.code, "message": error.summary}


def translated(error: Exception) -> NavigatorError:
    """Any exception of a handler as one of ours; what is unexpected is logged and kept secret."""
    if isinstance(error, NavigatorError):
        return error
    if isinstance(error, RequestSchemaValidationError):
        return _invalid(error.validation_error)
    if isinstance(error, ValidationError):
        return _invalid(error)
    if isinstance(error, MethodNotAllowed):  # as the earlier Navigator answered
        return NotFound("There is nothing here for this method.", code="UNKNOWN_ROUTE")
    if isinstance(error, HTTPException) and (error.code or 500) < 500:
        return _http_error(error)
    if is_unavailable(error):
        return UpstreamUnavailable(
            "The database does not answer; try again in a moment.",
            service="database",
            code="DATABASE_UNAVAILABLE",
        )
    log.error("a request failed", exc_info=error)
    return NavigatorError("Navigator failed; its log says why.")


def install(app: Quart) -> None:
    """Makes `app` render every error this way."""

    async def render(error: Exception) -> tuple[dict[str, Any], int, dict[str, str]]:
        ours = translated(error)
        return body_of(ours), ours.status, dict(ours.headers)

    app.register_error_handler(Exception, render)
    app.register_error_handler(HTTPException, render)
    app.register_error_handler(RequestSchemaValidationError, render)


class _HttpRefusal(NavigatorError):
    """What the framework refused before a handler saw it."""

    def __init__(self, status: int, message: str, code: str):
        super().__init__(message, code=code)
        self.status = status


def _http_error(error: HTTPException) -> NavigatorError:
    if error.code == 404:
        return NotFound("There is nothing at this address.", code="UNKNOWN_ROUTE")
    name = str(error.name).upper().replace(" ", "_")
    return _HttpRefusal(error.code or 400, error.description or error.name, name)


def _invalid(error: Exception) -> InvalidInput:
    if not isinstance(error, ValidationError):
        return InvalidInput("The body must be a JSON object.")
    problems = error.errors(include_url=False, include_context=False)
    missing = [_path(problem["loc"]) for problem in problems if problem["type"] == "missing"]
    if missing:
        return InvalidInput(f"{MISSING}: {', '.join(missing)}", code="MISSING_PARAMETERS")
    sentences = []
    for problem in problems[:_MAX_PROBLEMS]:
        reason = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Input ")
        place = _path(problem["loc"])
        sentences.append(f"{place}: {reason}" if place else f"The body {reason}")
    return InvalidInput("; ".join(sentences) + ".")


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location[:1])
