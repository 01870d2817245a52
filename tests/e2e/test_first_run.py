"""The first run: a person starts the launcher, presses Enter in the browser, and draws."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.env_files import read_env_file
from tests.databases import free_port
from tests.e2e.browser import Browser, Page
from tests.fakes.forge_install import FakeForge
from tests.launcher.desktop import Desktop
from tests.launcher.launching import launcher, nothing_left, server_file
from tests.launcher.tray_user import BROWSER, has, is_ready, quit_by_menu
from tests.processes import Child
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.posix]


@pytest.fixture
async def desktop(tmp_path: Path) -> AsyncIterator[Desktop]:
    async with Desktop.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def first_start(desktop: Desktop, tmp_path: Path, unused_port: int) -> Iterator[Child]:
    """A launcher that knows nothing, of somebody who has no Forge."""
    browser = tmp_path / "browser"
    browser.write_text(BROWSER.format(log=tmp_path / "opened"))
    browser.chmod(0o755)
    (tmp_path / "home").mkdir()
    with launcher(
        tmp_path / "data",
        is_headless=False,
        DBUS_SESSION_BUS_ADDRESS=desktop.address,
        BROWSER=str(browser),
        HOME=str(tmp_path / "home"),
        XDG_CONFIG_HOME=str(tmp_path / "config"),
        HTTP_API_PORT=str(unused_port),
        RT_API_PORT=str(unused_port),
        SD_API_HOST=forge_address(),
    ) as running:
        yield running


def forge_address() -> str:
    """Where its Forge is to be: the usual port may be that of another test."""
    return f"http://127.0.0.1:{free_port()}/sdapi/v1"


async def opened_page(tmp_path: Path, count: int = 1) -> str:
    """The address that the launcher has opened last."""
    log = tmp_path / "opened"
    await until(lambda: log.exists() and len(log.read_text().split()) >= count, 60)
    return log.read_text().split()[-1]


async def without_compass(page: Page) -> None:
    """Nothing is to come from the internet."""
    page.expect("503")  # of Navigator's page, which may be there before Forge is
    await page.see("h1", "Welcome to Navigator")
    await page.click("input[name=compass]")


async def test_enter_alone_leads_to_a_picture(
    first_start: Child, desktop: Desktop, browser: Browser, tmp_path: Path, unused_port: int
) -> None:
    data_dir = tmp_path / "data"
    url = await opened_page(tmp_path)
    own = f"http://127.0.0.1:{unused_port}"
    async with browser.page(urlsplit(url).netloc, urlsplit(own).netloc) as page:
        await page.open(url)
        await without_compass(page)
        await page.screenshot(tmp_path / "first-run.png")
        await page.press("Enter")
        await page.see("h1", "Navigator is starting")
        await page.see("#prompt")  # of Navigator's own page, with its owner logged in
        assert (await page.address()).startswith(own)
        await page.screenshot(tmp_path / "navigator.png")
    told = read_env_file(data_dir / ".env")
    assert told["FORGE_DIR"] == "simulator"
    assert len(told["SECRET_KEY"]) == 64
    await until(lambda: is_ready(desktop), 60)
    assert "home" not in first_start.errors
    await quit_by_menu(desktop, first_start)


async def test_wrong_folder_is_told_and_a_right_one_taken(
    first_start: Child, desktop: Desktop, browser: Browser, tmp_path: Path, unused_port: int
) -> None:
    forge = FakeForge(tmp_path / "My Forge", f"--port {unused_port + 1}")
    async with nothing_left(tmp_path / "data", forge):
        url = await opened_page(tmp_path)
        own = f"127.0.0.1:{unused_port}"
        async with browser.page(urlsplit(url).netloc, own) as page:
            await page.open(url)
            await without_compass(page)
            await page.fill("#forge", str(tmp_path / "nowhere"))
            await page.press("Enter")
            await page.see("[role=alert]", "is no folder")
            await page.fill("#forge", str(forge.root))
            await page.press("Enter")
            await page.see("#prompt")
        assert len(forge.starts) == 1
        assert read_env_file(tmp_path / "data" / ".env")["FORGE_DIR"] == str(forge.root)
        await until(lambda: is_ready(desktop), 60)
        # And once more, with other answers.
        await desktop.click("Set up again")
        again = await opened_page(tmp_path, 2)
        async with browser.page(urlsplit(again).netloc, own) as page:
            await page.open(again)
            await without_compass(page)
            await page.fill("#forge", "simulator")
            await page.press("Enter")
            await page.see("#prompt")
        await until(lambda: is_ready(desktop), 60)
        assert len(forge.starts) == 1
        await quit_by_menu(desktop, first_start)


async def test_person_who_quits_instead_has_changed_nothing(
    first_start: Child, desktop: Desktop, tmp_path: Path
) -> None:
    await opened_page(tmp_path)
    await until(lambda: bool(desktop.watcher.names))
    await until(lambda: has(desktop, "Open the set-up page"))
    await desktop.click("Open the set-up page")
    await opened_page(tmp_path, 2)
    await quit_by_menu(desktop, first_start)
    assert not (tmp_path / "data" / ".env").exists()
    assert server_file(tmp_path / "data") == {}


async def test_one_who_cannot_be_asked_gets_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with launcher(
        tmp_path / "data",
        is_headless=False,
        DBUS_SESSION_BUS_ADDRESS="unix:path=/nowhere",
        DISPLAY="",
        BROWSER="false",
        HOME=str(tmp_path / "home"),
        SD_API_HOST=forge_address(),
    ) as running:
        await until(lambda: "Going on without one" in running.errors)
        await until(lambda: "The set-up page: http://127.0.0.1:" in running.errors)
        await until(lambda: "Nobody can be asked here" in running.errors, 90)
        await until(lambda: "Navigator: running" in running.errors, 60)
        assert read_env_file(tmp_path / "data" / ".env")["FORGE_DIR"] == "simulator"
        ended, _ = await running.stop()
        assert ended.code == 0
