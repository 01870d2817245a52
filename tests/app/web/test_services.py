"""Tests of `app/web/services.py`."""

import pytest
from quart import Quart

from app.web.services import EXTENSION, services


async def test_handlers_find_the_services_of_their_application() -> None:
    applications = [Quart("one", static_folder=None), Quart("two", static_folder=None)]
    for app in applications:
        app.extensions[EXTENSION] = object()
    for app in applications:
        async with app.app_context():
            assert services() is app.extensions[EXTENSION]


def test_there_are_none_outside_of_a_request() -> None:
    with pytest.raises(RuntimeError):
        services()
