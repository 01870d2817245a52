"""The page of settings: an owner opens it from the menu, changes something, reads the logs."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.env_files import read_env_file
from tests.e2e.browser import Browser
from tests.e2e.test_first_run import opened_page
from tests.fakes.forge_install import FakeForge
from tests.launcher.desktop import Desktop
from tests.launcher.launching import launcher, nothing_left, server_file, told
from tests.launcher.tray_user import BROWSER, has, is_ready, quit_by_menu, started
from tests.processes import Child
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.posix]

SECRET = "topsecret-key-of-civitai"


@pytest.fixture
async def desktop(tmp_path: Path) -> AsyncIterator[Desktop]:
    async with Desktop.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
async def forge(tmp_path: Path, unused_port: int) -> AsyncIterator[FakeForge]:
    made = FakeForge(tmp_path / "forge", f"--port {unused_port}")
    async with nothing_left(tmp_path / "data", made):
        yield made


@pytest.fixture
async def running(
    desktop: Desktop, forge: FakeForge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Child]:
    """The launcher of an owner with some settings; what it opens is noted."""
    programs, data_dir = tmp_path / "programs", tmp_path / "data"
    programs.mkdir()
    for name, log in (("browser", "opened"), ("xdg-open", "shown")):
        (programs / name).write_text(BROWSER.format(log=tmp_path / log))
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    data_dir.mkdir()
    (data_dir / ".env").write_text(f"# mine\nCIVITAI_API_KEY={SECRET}\nJOB_STALL_MINUTES=7\n")
    with launcher(
        data_dir,
        f"--forge-dir={forge.root}",
        is_headless=False,
        DBUS_SESSION_BUS_ADDRESS=desktop.address,
        BROWSER=str(programs / "browser"),
        XDG_CONFIG_HOME=str(tmp_path / "config"),
    ) as ours:
        await until(lambda: is_ready(desktop), 60)
        yield ours
        await quit_by_menu(desktop, ours)


@pytest.mark.usefixtures("running")
async def test_impossible_setting_is_told_and_a_possible_one_taken(
    desktop: Desktop, forge: FakeForge, browser: Browser, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    await desktop.click("Settings")
    url = await opened_page(tmp_path)
    async with browser.page(urlsplit(url).netloc) as page:
        await page.open(url)
        await page.see("#forge-and-the-queue", "JOB_ATTEMPTS")
        assert SECRET not in await page.text("html")
        await page.fill("#JOB_ATTEMPTS", "200")
        await page.press("Enter")
        await page.see("[role=alert]", "less than or equal to 100")
        await page.see("[role=status]", "Nothing is saved")
        assert "JOB_ATTEMPTS" not in read_env_file(data_dir / ".env")
        await page.screenshot(tmp_path / "wrong.png")

        first = server_file(data_dir)["pid"]
        await page.fill("#JOB_ATTEMPTS", "5")
        await page.fill("#JOB_STALL_MINUTES", "")
        await page.press("Enter")
        await page.see("[role=status]", "Saved.")
        written = read_env_file(data_dir / ".env")
        assert (written["JOB_ATTEMPTS"], written["CIVITAI_API_KEY"]) == ("5", SECRET)
        assert "JOB_STALL_MINUTES" not in written
        assert (data_dir / ".env").read_text().startswith("# mine\n")
        await page.screenshot(tmp_path / "saved.png")
        await page.click("button[value=restart]")
        await page.see("[role=status]", "Navigator has started again.")
        assert server_file(data_dir)["pid"] != first
        assert len(forge.starts) == 1


@pytest.mark.usefixtures("running")
async def test_setting_of_forge_starts_both_again(
    desktop: Desktop, forge: FakeForge, browser: Browser, tmp_path: Path
) -> None:
    await desktop.click("Settings")
    url = await opened_page(tmp_path)
    async with browser.page(urlsplit(url).netloc) as page:
        await page.open(url)
        await page.fill("#FORGE_RAM_LIMIT", "64")
        await page.press("Enter")
        await page.see("form[role=status]", "Forge and Navigator")
        await page.click("button[value=restart]")
        await page.see("[role=status]", "Navigator has started again.")
        await until(lambda: is_ready(desktop), 60)
        assert len(forge.starts) == 2
        await page.click('button[value="open:Forge"]')
        shown = tmp_path / "shown"
        await until(lambda: shown.exists() and shown.read_text() == f"{forge.root}\n")


@pytest.mark.usefixtures("running")
async def test_log_is_opened_from_the_menu_and_searched(
    desktop: Desktop, browser: Browser, tmp_path: Path
) -> None:
    await desktop.click("Logs", "Forge")
    url = await opened_page(tmp_path)
    async with browser.page(urlsplit(url).netloc) as page:
        await page.open(url)
        await page.see("pre", "Startup time")
        await page.fill("input[name=word]", "launching")
        await page.press("Enter")
        await page.see("mark", "Launching")
        assert "Startup time" not in await page.text("pre")
        await page.screenshot(tmp_path / "log.png")


async def test_impossible_settings_are_mended_on_the_page(
    desktop: Desktop, forge: FakeForge, browser: Browser, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / ".env").write_text("RESTART_LIMIT=abc\nMY_OWN=1\n")
    with started(desktop, data_dir, forge, tmp_path) as running:
        url = await opened_page(tmp_path)
        await until(lambda: has(desktop, "RESTART__LIMIT: must be a number"))
        await until(
            lambda: "Navigator cannot start" in [one[1] for one in desktop.notifications.told]
        )
        asked = await told(data_dir, "status")
        assert "Nothing runs yet" in asked.errors
        async with browser.page(urlsplit(url).netloc) as page:
            await page.open(url)
            await page.fill("#RESTART_LIMIT", "5")
            await page.click('input[name="forget:MY_OWN"]')
            await page.screenshot(tmp_path / "unknown.png")
            await page.press("Enter")
            await page.see("[role=status]", "Saved.")
            assert read_env_file(data_dir / ".env") == {"RESTART_LIMIT": "5"}
            await page.click("button[value=restart]")
            await page.see("[role=status]", "Navigator has started again.")
        await until(lambda: is_ready(desktop), 60)
        await quit_by_menu(desktop, running)
