"""Our own page in a browser: from a fresh installation to the first picture."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.accounts.models import Invitation, User
from app.simulator import Fault
from tests.e2e.browser import Browser, Page
from tests.fakes.discord import FakeDiscord
from tests.running import SUPERUSER_TOKEN, RunningNavigator, running_navigator


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


async def test_invited_friend_opens_the_link_on_a_phone_and_is_in(
    home: Page, server: RunningNavigator
) -> None:
    await home.resize(390, 844)
    link = await invitation(server, name="Mira")
    await home.open(link)
    await home.see("#name", "Mira")
    assert await home.address() == f"{server.url}/"
    assert await home.width() <= 390
    await home.click("#draw:enabled")
    await home.see("#said", "Done.")
    # The link is used up, but a page that is loaded again is the same friend.
    await home.open(link)
    await home.see("#name", "Mira")
    assert await User.filter(provider="local").count() == 1


async def test_friend_waits_until_the_owner_agrees(home: Page, server: RunningNavigator) -> None:
    home.expect("status of 403")
    link = await invitation(server, name="Ben", preapproved=False)
    await home.open(link)
    await home.see("#waiting-text", "has been told that you are here")
    user = await User.get(provider="local")
    boss = {"Authorization": SUPERUSER_TOKEN}
    await server.post(f"/api/admin/users/{user.id}/approve", headers=boss)
    await home.click("#again")
    await home.see("#name", "Ben")
    await home.see("#make")


async def test_invitation_that_is_no_good_says_why(home: Page, server: RunningNavigator) -> None:
    home.expect("status of 401")
    link = await invitation(server)
    await Invitation.all().update(revoked_at=datetime.now(UTC))
    await home.open(link)
    await home.see("#notice", "This invitation was withdrawn.")
    await home.see("#login")


async def test_friend_who_knocks_with_discord_is_in_after_the_owners_click(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        FakeDiscord().serving() as discord,
        running_navigator(
            tmp_path,
            DISCORD_API_BASE=discord.url,
            DISCORD_CLIENT_ID=discord.client_id,
            DISCORD_CLIENT_SECRET=discord.client_secret,
        ) as server,
        browser.page(urlsplit(server.url).netloc, urlsplit(discord.url).netloc) as page,
    ):
        page.expect("status of 403")
        await page.open(server.url)
        await page.click("#discord-link")
        await page.see("#waiting-text", "Log in again once they have agreed.")
        assert await page.address() == f"{server.url}/"
        path = "/api/admin/users/100000000000000001/approve"
        await server.post(path, headers={"Authorization": SUPERUSER_TOKEN})
        await page.click("#again")
        await page.see("#name", "Test Er")


async def test_code_that_this_page_did_not_ask_for_logs_nobody_in(
    browser: Browser, tmp_path: Path
) -> None:
    """Else a link could log somebody into the account of whoever made it."""
    async with (
        FakeDiscord().serving() as discord,
        running_navigator(
            tmp_path,
            DISCORD_API_BASE=discord.url,
            DISCORD_CLIENT_ID=discord.client_id,
            DISCORD_CLIENT_SECRET=discord.client_secret,
        ) as server,
        browser.page(urlsplit(server.url).netloc) as page,
    ):
        for state in ("", "&state=x"):
            await page.open(f"{server.url}/?code=XYZ{state}")
            await page.see("#discord-link")
            assert await page.address() == f"{server.url}/"
        assert discord.requests == []


async def invitation(server: RunningNavigator, **body: object) -> str:
    """The link of a new invitation."""
    answer = await server.post(
        "/api/admin/invitations", body, headers={"Authorization": SUPERUSER_TOKEN}
    )
    return str(answer.json["link"])
