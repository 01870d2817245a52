"""Error bodies: they look like the recorded ones."""

from app.simulator.errors import (
    DetailError,
    PythonError,
    ValidationFailed,
    response_validation_failed,
)
from tests.app.simulator.recording import Recording


def test_detail_is_told_as_it_is() -> None:
    error = DetailError(401, "Not authenticated", {"WWW-Authenticate": "Basic"})
    assert (error.status, error.body) == (401, {"detail": "Not authenticated"})
    assert error.headers == {"WWW-Authenticate": "Basic"}


def test_exception_inside_forge_has_the_keys_of_a_recorded_one() -> None:
    recorded = Recording.load("get/cmd-flags")
    error = PythonError("TypeError", "oops")
    assert (error.status, error.kind) == (recorded.status, "TypeError")
    assert isinstance(error.body, dict)
    assert error.body.keys() == recorded.body.keys()


def test_answer_that_does_not_fit_its_model_reads_like_the_recorded_one() -> None:
    recorded = Recording.load("get/cmd-flags").body
    error = response_validation_failed(
        "port", "string_type", "Input should be a valid string", 7860
    )
    assert isinstance(error.body, dict)
    assert error.body["error"] == recorded["error"]
    start = "1 validation errors:\n  {'type': 'string_type', 'loc': ('response', 'port'), 'msg': "
    assert str(error.body["message"]).startswith(start)


def test_mistakes_are_listed() -> None:
    error = ValidationFailed([{"loc": ["body", "steps"], "type": "int_parsing"}])
    assert error.status == 422
    assert error.body == {"detail": [{"loc": ["body", "steps"], "type": "int_parsing"}]}
