"""The error bodies of Forge, as exceptions. Decides no case: whoever raises knows it.

Source: forge recordings, section 2 "HTTP conventions".
"""

from collections.abc import Mapping, Sequence


class ForgeError(Exception):
    """An answer that is not 200: a status and a JSON body."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class DetailError(ForgeError):
    """An error that Forge raises on purpose: `{"detail": "<text>"}`."""

    def __init__(
        self, status: int, detail: object, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, {"detail": detail}, headers)


class PythonError(ForgeError):
    """An exception inside Forge: 500 with the name of its class and its text."""

    def __init__(self, kind: str, message: str, body: object = "") -> None:
        super().__init__(500, {"error": kind, "detail": "", "body": body, "message": message})
        self.kind = kind


class ValidationFailed(ForgeError):
    """422 with one entry per mistake, as FastAPI 0.104 and pydantic 2.8 write them."""

    def __init__(self, entries: Sequence[Mapping[str, object]]) -> None:
        super().__init__(422, {"detail": [dict(entry) for entry in entries]})


class ConnectionDropped(Exception):
    """The connection ends without an answer."""


INVALID_IMAGE = "Invalid encoded image"


def response_validation_failed(key: str, kind: str, message: str, value: object) -> PythonError:
    """Gives the 500 of an answer that does not fit its own response model (`get/cmd-flags`)."""
    entry = {
        "type": kind,
        "loc": ("response", key),
        "msg": message,
        "input": value,
        "url": f"https://errors.pydantic.dev/2.8/v/{kind}",
    }
    return PythonError("ResponseValidationError", f"1 validation errors:\n  {entry}\n")
