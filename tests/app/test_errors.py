"""Tests of `app/errors.py`."""

import pytest

from app.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NavigatorError,
    NotApproved,
    NotAuthenticated,
    NotFound,
    SettingsInvalid,
    TooMany,
    UpstreamFailed,
    UpstreamUnavailable,
)

STATUSES: dict[type[NavigatorError], int] = {
    InvalidInput: 400,
    NotAuthenticated: 401,
    NotApproved: 403,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooMany: 429,
    NavigatorError: 500,
    SettingsInvalid: 500,
}


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_each_kind_has_its_status_and_a_code(kind: type[NavigatorError], status: int) -> None:
    error = kind("A sentence.")
    assert error.status == status
    assert error.code.isupper()
    assert str(error) == error.message == error.summary == "A sentence."


@pytest.mark.parametrize(("kind", "status"), [(UpstreamFailed, 502), (UpstreamUnavailable, 503)])
def test_upstream_errors_name_the_neighbour(
    kind: type[UpstreamFailed | UpstreamUnavailable], status: int
) -> None:
    error = kind("Forge does not answer.", service="forge")
    assert (error.status, error.service) == (status, "forge")
    assert kind("x", service="forge", code="OTHER").code == "OTHER"
    assert kind("x", service="forge").code != "OTHER"


def test_code_and_summary_may_be_said_for_one_error() -> None:
    error = NotApproved("User is disabled", code="OTHER", summary="Forbidden")
    assert (error.code, error.message, error.summary) == ("OTHER", "User is disabled", "Forbidden")
    assert NotApproved("x").code == "USER_DISABLED"


def test_every_kind_is_listed_here() -> None:
    kinds: set[type[NavigatorError]] = {*STATUSES, UpstreamFailed, UpstreamUnavailable}
    direct = {kind for kind in NavigatorError.__subclasses__() if kind.__module__ == "app.errors"}
    assert direct == kinds - {NavigatorError}
