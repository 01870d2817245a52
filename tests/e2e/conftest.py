"""A Navigator that serves the stand-in for Compass, and pages that show it."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.simulator import SimulatorOptions
from tests.e2e.browser import Browser
from tests.e2e.compass import Compass, build
from tests.running import RunningNavigator, running_navigator

FORGE = SimulatorOptions(step_time_s=0.005, checkpoint_load_time_s=0, draw=False)
FILLED = "filled while it is served"
BUILT_FOR_ANOTHER = "built for another address"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator that will serve what comes into the folder `compass`."""
    folder = str(tmp_path / "compass")
    async with running_navigator(tmp_path, forge=FORGE, COMPASS_DIR=folder) as running:
        yield running


@pytest.fixture(params=[FILLED, pytest.param(BUILT_FOR_ANOTHER, marks=pytest.mark.slow)])
async def compass(
    request: pytest.FixtureRequest, browser: Browser, server: RunningNavigator
) -> AsyncIterator[Compass]:
    """An open page of which nobody has logged in.

    The second kind calls another origin than the one that it was loaded from, so that all of its
    calls have to be allowed, and no cookie is sent with them.
    """
    folder = server.settings.compass_folder
    if request.param == FILLED:
        build(folder)
    else:
        build(folder, api=elsewhere(server.url), realtime=elsewhere(server.realtime_url))
    async with opened(browser, server.url, server.realtime_url) as page:
        yield page


@contextlib.asynccontextmanager
async def opened(browser: Browser, url: str, *more: str) -> AsyncIterator[Compass]:
    """A page that shows what is served at `url`. It may call there and at `more`, by any name."""
    urls = [url, *more]
    hosts = [urlsplit(one).netloc for one in [*urls, *map(elsewhere, urls)]]
    async with browser.page(*hosts) as page:
        compass = Compass(page, url)
        await compass.open()
        yield compass


def elsewhere(url: str) -> str:
    """Another origin of the same server."""
    return url.replace("127.0.0.1", "localhost")
