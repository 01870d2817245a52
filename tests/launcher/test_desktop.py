"""Tests of `launcher/desktop.py`: the whole launcher with an icon, on a desktop of the test's."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from launcher.lan import addresses
from tests.fakes.forge_install import FakeForge
from tests.launcher.desktop import Desktop
from tests.launcher.launching import launcher, nothing_left, server_file, told
from tests.launcher.tray_user import has, is_ready, quit_by_menu, started
from tests.processes import SUPERUSER_TOKEN, submit
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.posix]

HEADERS = {"Authorization": SUPERUSER_TOKEN}
# Notes which pages are opened, as a browser that the environment names.


@pytest.fixture
async def desktop(tmp_path: Path) -> AsyncIterator[Desktop]:
    async with Desktop.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def forge(tmp_path: Path, unused_port: int, data_dir: Path) -> AsyncIterator[FakeForge]:
    made = FakeForge(tmp_path / "forge", f"--port {unused_port}")
    async with nothing_left(data_dir, made):
        yield made


async def test_owner_approves_a_friend_frees_the_gpu_and_quits(
    desktop: Desktop, data_dir: Path, forge: FakeForge, tmp_path: Path
) -> None:
    with started(desktop, data_dir, forge, tmp_path) as running:
        await until(lambda: is_ready(desktop), 60)
        url = server_file(data_dir)["url"]
        async with aiohttp.ClientSession(headers=HEADERS) as http:
            wish = {"name": "Anne", "preapproved": False}
            async with http.post(f"{url}/api/admin/invitations", json=wish) as answer:
                code = (await answer.json())["code"]

            async def log_in() -> int:
                async with http.post(f"{url}/api/auth/login", json={"code": code}) as answer:
                    return answer.status

            assert await log_in() == 403
            await until(lambda: has(desktop, "Waiting for approval (1)", "Anne", "Approve"))
            await until(lambda: desktop.notifications.told)
            _, title, _, actions = desktop.notifications.told[0]
            assert title == "Anne wants to use Navigator"
            assert actions == ["0", "Approve", "1", "Deny"]
            assert (await desktop.icon())["Status"] == "NeedsAttention"
            await desktop.click("Waiting", "Anne", "Approve")
            await until(lambda: has(desktop, "Users", "Anne"))
            assert await log_in() == 200
            await submit(http, url)
            await desktop.click("Free the GPU")
            await until(lambda: has(desktop, "Resume in"))
            await until(lambda: "The GPU is free" in [one[1] for one in desktop.notifications.told])
            await desktop.click("Resume")
            await until(lambda: has(desktop, "Free the GPU"))
        await quit_by_menu(desktop, running)


async def test_owner_opens_compass_and_is_the_same_user_each_time(
    desktop: Desktop, data_dir: Path, forge: FakeForge, tmp_path: Path
) -> None:
    opened = tmp_path / "opened"
    with started(desktop, data_dir, forge, tmp_path) as running:
        await until(lambda: is_ready(desktop), 60)
        url = server_file(data_dir)["url"]
        people = set()
        async with aiohttp.ClientSession() as http:
            for count in (1, 2, 3):
                await desktop.click("Open Compass")
                await until(
                    lambda count=count: (  # type: ignore[misc]
                        opened.exists() and len(opened.read_text().split()) == count
                    )
                )
                page = opened.read_text().split()[-1]
                assert page.startswith(f"{url}/?code=nav-")
                login = {"code": page.partition("code=")[2]}
                async with http.post(f"{url}/api/auth/login", json=login) as answer:
                    assert answer.status == 200
                    user = (await answer.json())["user"]
                people.add(user["id"])
        assert len(people) == 1
        await quit_by_menu(desktop, running)


async def test_invitation_is_shown_on_a_page_that_opens_once(
    desktop: Desktop, data_dir: Path, forge: FakeForge, tmp_path: Path
) -> None:
    opened = tmp_path / "opened"
    with started(desktop, data_dir, forge, tmp_path) as running:
        await until(lambda: is_ready(desktop), 60)
        await desktop.click("Invite a friend")
        await until(opened.exists)
        page = opened.read_text().strip()
        jar = aiohttp.CookieJar(unsafe=True)  # which takes cookies of an address
        async with (
            aiohttp.ClientSession(cookie_jar=jar) as browser,
            browser.get(page) as answer,
        ):
            text = await answer.text()
            assert answer.status == 200
            assert "/?code=nav-" in text
            assert "data:image/svg+xml" in text
        async with aiohttp.ClientSession() as stranger, stranger.get(page) as answer:
            assert answer.status == 410
            assert "nav-" not in await answer.text()
        await quit_by_menu(desktop, running)


async def test_services_are_stopped_and_started_from_the_menu(
    desktop: Desktop, data_dir: Path, forge: FakeForge, tmp_path: Path
) -> None:
    with started(desktop, data_dir, forge, tmp_path) as running:
        await until(lambda: is_ready(desktop), 60)
        await desktop.click("Forge: running", "Stop")
        await until(lambda: has(desktop, "Forge: stopped", "Start"))
        await desktop.click("Forge: stopped", "Start")
        await until(lambda: has(desktop, "Forge: running"))
        await desktop.click("Start at login")
        entry = tmp_path / "config" / "autostart" / "navigator.desktop"
        await until(entry.exists)
        assert "--at-login" in entry.read_text()
        await until(lambda: _is_checked(desktop, "Start at login"))
        await desktop.click("Start at login")
        await until(lambda: not entry.exists())
        await desktop.click("Queue", "Pause")
        await until(lambda: has(desktop, "Paused"))
        await desktop.click("Queue", "Resume")
        await until(lambda: is_ready(desktop))
        second = await told(data_dir)
        assert (second.code, "runs already" in second.printed) == (0, True)
        await until(
            lambda: "Navigator runs already" in [one[1] for one in desktop.notifications.told]
        )
        await quit_by_menu(desktop, running)


async def test_menu_is_there_while_navigator_and_forge_hang(
    desktop: Desktop, data_dir: Path, forge: FakeForge, tmp_path: Path
) -> None:
    with started(desktop, data_dir, forge, tmp_path) as running:
        await until(lambda: is_ready(desktop), 60)
        hanging = [psutil.Process(server_file(data_dir)["pid"]),
                   psutil.Process(forge.starts[0]["pid"])]  # fmt: skip
        for process in hanging:
            process.suspend()
        await desktop.click("Invite")  # which nobody answers
        await until(lambda: any("did not work" in one[1] for one in desktop.notifications.told))
        assert "Quit" in await desktop.labels()
        for process in hanging:
            process.resume()
        await until(lambda: is_ready(desktop))
        await quit_by_menu(desktop, running)


async def test_quit_asks_while_a_picture_is_drawn(
    desktop: Desktop, data_dir: Path, forge: FakeForge, tmp_path: Path
) -> None:
    forge.behave(step_time_s=0.3)
    with started(desktop, data_dir, forge, tmp_path) as running:
        await until(lambda: is_ready(desktop), 60)
        url = server_file(data_dir)["url"]
        async with aiohttp.ClientSession(headers=HEADERS) as http:
            await submit(http, url, steps=100)
            await until(lambda: has(desktop, "Drawing"))
            await desktop.click("Quit")
            await until(lambda: desktop.notifications.told)
            number, title, _, actions = desktop.notifications.told[-1]
            assert (title, actions) == ("A picture is being drawn", ["0", "Quit now"])
            assert not running.has_ended
            desktop.notifications.ActionInvoked(number, "0")
            ended = await running.ended(30)
            assert ended.code == 0


@pytest.mark.parametrize("has_bus", [True, False])
async def test_desktop_without_a_tray_goes_on_headless(
    data_dir: Path, forge: FakeForge, tmp_path: Path, has_bus: bool
) -> None:
    async with Desktop.opened(tmp_path, has_panel=False) as bare:
        address = bare.address if has_bus else "unix:path=/nowhere"
        with launcher(
            data_dir,
            f"--forge-dir={forge.root}",
            is_headless=False,
            DBUS_SESSION_BUS_ADDRESS=address,
            DISPLAY="",
        ) as running:
            said = "everything runs without an icon" if has_bus else "Going on without one"
            await until(lambda: said in running.errors)
            await until(lambda: "Navigator: running" in running.errors, 60)
            why = "AppIndicator" if has_bus else "no D-Bus session"
            assert why in running.errors
            if has_bus:  # at a login the panel comes later
                await bare.add_panel()
                await until(lambda: is_ready(bare))
            ended, _ = await running.stop()
            assert ended.code == 0


async def _is_checked(desktop: Desktop, label: str) -> bool:
    return bool((await desktop.find(label)).properties["toggle-state"])


async def test_switch_shares_tests_itself_and_is_remembered(
    desktop: Desktop, data_dir: Path, forge: FakeForge, tmp_path: Path
) -> None:
    opened = tmp_path / "opened"
    (address, *_) = addresses()
    with started(desktop, data_dir, forge, tmp_path) as running:
        await until(lambda: is_ready(desktop), 60)
        own = server_file(data_dir)["url"]
        async with aiohttp.ClientSession(headers=HEADERS) as http:
            async with http.post(f"{own}/api/admin/queue/pause", json={}) as answer:
                assert answer.status == 200
            job_id = await submit(http, own)
            await desktop.click("Share on LAN")
            await until(opened.exists, 60)
            own = server_file(data_dir)["url"]
            shared = own.replace("127.0.0.1", address)
            await until(lambda: has(desktop, f"Copy address {shared}"))
            assert await _is_checked(desktop, "Share on LAN")
            async with http.post(f"{shared}/api/admin/queue/resume", json={}) as answer:
                assert answer.status == 200

            async def is_drawn() -> bool:
                async with http.get(f"{shared}/api/images/{job_id}") as answer:
                    return answer.status == 200

            await until(is_drawn)
        await until(lambda: is_ready(desktop))
        await quit_by_menu(desktop, running)
    desktop.watcher.names.clear()
    with started(desktop, data_dir, forge, tmp_path) as running:
        await until(lambda: is_ready(desktop), 60)
        await until(lambda: _is_checked(desktop, "Share on LAN"))
        shared_by = server_file(data_dir)["pid"]
        await desktop.click("Share on LAN")
        await until(lambda: has(desktop, "Copy LAN address"))
        await until(lambda: server_file(data_dir).get("pid") not in {None, shared_by}, 60)
        await until(lambda: is_ready(desktop))
        async with aiohttp.ClientSession() as http:
            url = server_file(data_dir)["url"].replace("127.0.0.1", address)
            with pytest.raises(aiohttp.ClientConnectionError):
                await http.get(f"{url}/api/config/version")
        await quit_by_menu(desktop, running)
