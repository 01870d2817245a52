"""Our own page in a browser: from a fresh installation to the first picture."""

import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from app.simulator import Fault
from tests.e2e.browser import Browser, Page
from tests.running import RunningNavigator


@pytest.fixture
async def home(browser: Browser, server: RunningNavigator) -> AsyncIterator[Page]:
    """Our page, at the address of a Navigator without Compass."""
    async with opened(browser, server) as page:
        yield page


async def test_demo_user_makes_a_picture_and_sees_it(home: Page, server: RunningNavigator) -> None:
    assert server.forge is not None
    await home.see("#forge", "Forge is ready")
    await home.click("text=Try the demo user")
    await home.see("#name", "Demo User")
    server.forge.inject(Fault.hang(after_steps=3))
    await home.fill("#prompt", "a fox in the snow")
    await home.click("#draw:enabled")
    await home.see("#said", "Step 3 of 20")
    preview = await home.picture("#picture")
    assert "/api/previews/" in preview["src"]
    server.forge.clear_faults()
    await home.see("#said", "Done.")
    picture = await home.picture('#picture[src^="/api/images/"]')
    assert (picture["width"], picture["height"]) == (512, 512)
    request = server.forge.requests[-1].body
    assert isinstance(request, dict)
    assert request["prompt"] == "a fox in the snow"
    await home.see("#links a[download]", "Download")


async def test_code_in_the_address_logs_in_and_does_not_stay_there(
    home: Page, server: RunningNavigator
) -> None:
    await home.open(f"{server.url}/?code=DEMO_USER&state=x")
    await home.see("#name", "Demo User")
    assert await home.address() == f"{server.url}/"
    await home.open(f"{server.url}/navigator")
    await home.see("#name", "Demo User")


async def test_code_that_is_not_valid_is_explained(home: Page) -> None:
    home.expect("status of 401")
    await home.fill("#code", "abcdef")
    await home.click("#code-form button")
    await home.see("#notice", "this code is not valid")
    await home.see("#login")


async def test_picture_can_be_cancelled(home: Page, server: RunningNavigator) -> None:
    assert server.forge is not None
    await home.click("text=Try the demo user")
    server.forge.inject(Fault.hang(after_steps=3))
    await home.click("#draw:enabled")
    await home.see("#said", "Step 3 of 20")
    await home.click("#cancel")
    await home.see("#said", "Stopping …")
    server.forge.clear_faults()
    await home.see("#said", "Cancelled; this is how far it came.")
    assert (await home.picture("#picture"))["width"] == 512


async def test_page_tells_how_to_install_compass(home: Page) -> None:
    await home.see("#install code", "navigator compass install")


@contextlib.asynccontextmanager
async def opened(browser: Browser, server: RunningNavigator) -> AsyncIterator[Page]:
    """The page. It may send requests to its own origin only."""
    async with browser.page(urlsplit(server.url).netloc) as page:
        await page.open(server.url)
        yield page
