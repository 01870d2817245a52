"""Tests of `launcher/tray_dbus.py`, with a desktop of the test's own."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from launcher.commands import Approve, Command, Deny, OpenCompass, Quit, Share
from launcher.icon import SIZES
from launcher.menu import SEPARATOR, Entry, IconState
from launcher.tray_dbus import DbusTray
from launcher.tray_face import Face, Notice, NoTray
from tests.launcher.desktop import Desktop
from tests.waiting import until

FRIEND = Entry("Ann_e", children=(Entry("Approve", Approve("7")), Entry("Deny", Deny("7"))))
FACE = Face(
    IconState.READY,
    None,
    "Ready",
    (Entry("Ready"), SEPARATOR, FRIEND, Entry("Share on LAN", Share(False), is_checked=True),
     Entry("Quit", Quit())),
)  # fmt: skip


class Shown:
    """A tray in a thread, and what was clicked."""

    def __init__(self, address: str, *, waits: bool = False):
        self.clicked: list[Command] = []
        self.started = threading.Event()
        self.tray = DbusTray(self.clicked.append, address=address, waits=waits)
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.tray.run(self.started.set)
        except NoTray as error:
            self.error = error


@contextlib.asynccontextmanager
async def shown(address: str) -> AsyncIterator[Shown]:
    """A tray that shows `FACE`, until the block ends."""
    made = Shown(address)
    made.tray.show(FACE)
    made.thread.start()
    try:
        await until(made.started.is_set)
        yield made
    finally:
        made.tray.stop()
        await asyncio.to_thread(made.thread.join, 10)
        assert not made.thread.is_alive()


async def test_icon_and_menu_are_shown_and_clicked(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path) as desktop, shown(desktop.address) as made:
        icon = await desktop.icon()
        assert (icon["Id"], icon["Status"], icon["Menu"]) == ("navigator", "Active", "/MenuBar")
        assert [pixmap[0] for pixmap in icon["IconPixmap"]] == list(SIZES)
        assert all(len(data) == 4 * width * height for width, height, data in icon["IconPixmap"])
        assert icon["ToolTip"][3] == "Ready"
        menu = await desktop.menu()
        assert [line.label for line in menu.children] == [
            "Ready", "", "Ann__e", "Share on LAN", "Quit",
        ]  # fmt: skip
        ready, line, friend, switch, _ = menu.children
        assert ready.properties["enabled"] is False
        assert line.properties == {"type": "separator"}
        assert friend.properties["children-display"] == "submenu"
        assert (switch.properties["toggle-type"], switch.properties["toggle-state"]) == (
            "checkmark", 1,
        )  # fmt: skip
        await desktop.click("Ann", "Approve")
        await desktop.click("Ready")  # which does nothing
        await desktop.click("Quit")
        assert made.clicked == [Approve("7"), Quit()]
        item = (desktop.watcher.names[-1], "/StatusNotifierItem", "org.kde.StatusNotifierItem")
        await desktop.call(item, "Activate", "ii", [0, 0])
        assert made.clicked[-1] == OpenCompass()


async def test_what_changes_is_told_to_the_panel(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path) as desktop, shown(desktop.address) as made:
        stale = (await desktop.find("Ann", "Deny")).number
        made.tray.show(Face(IconState.ATTENTION, None, "Somebody waits", (Entry("Quit", Quit()),)))
        await until(lambda: {"NewIcon", "NewStatus", "NewToolTip"} <= set(desktop.signals))
        assert await desktop.labels() == ["Quit"]
        assert (await desktop.icon())["Status"] == "NeedsAttention"
        # A menu that was open when it changed: what was shown is what is meant.
        await desktop.click_number(stale)
        assert made.clicked == [Deny("7")]


async def test_notifications_have_buttons(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path) as desktop, shown(desktop.address) as made:
        notice = Notice("7", "Anne wants in", "from 10.0.0.5",
                        (("Approve", Approve("7")), ("Deny", Deny("7"))))  # fmt: skip
        made.tray.notify(notice)
        await until(lambda: desktop.notifications.told)
        number, title, body, actions = desktop.notifications.told[0]
        assert (title, body) == ("Anne wants in", "from 10.0.0.5")
        assert actions == ["0", "Approve", "1", "Deny"]
        desktop.notifications.ActionInvoked(number, "1")
        await until(lambda: made.clicked == [Deny("7")])
        for odd in ("9", "default", "-1"):
            desktop.notifications.ActionInvoked(number, odd)
        made.tray.notify(notice)  # takes the place of the first
        await until(lambda: len(desktop.notifications.told) == 2)
        assert desktop.notifications.told[1][0] == number
        assert made.clicked == [Deny("7")]


async def test_panel_that_comes_back_shows_it_again(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path) as desktop, shown(desktop.address):
        await desktop.remove_panel()
        await desktop.add_panel()
        await until(lambda: len(desktop.watcher.names) == 2)


async def test_panel_that_comes_later_shows_it_then(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path, has_panel=False) as desktop:
        made = Shown(desktop.address, waits=True)
        made.tray.show(FACE)
        made.thread.start()
        await asyncio.sleep(0.3)
        assert not made.started.is_set()
        await desktop.add_panel()
        await until(made.started.is_set)
        await desktop.click("Quit")
        await until(lambda: made.clicked == [Quit()])
        made.tray.stop()
        await asyncio.to_thread(made.thread.join, 10)
        assert not made.thread.is_alive()


async def test_texts_of_strangers_are_no_markup(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path) as desktop, shown(desktop.address) as made:
        made.tray.notify(Notice("x", "A model", "R&B <3 <img src=x> " + "y" * 1000))
        await until(lambda: desktop.notifications.told)
        _, _, body, _ = desktop.notifications.told[0]
        assert body.startswith("R&amp;B &lt;3 &lt;img src=x&gt; yyy")
        assert len(body) < 400


async def test_panel_that_asks_for_much_at_once_gets_it(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path) as desktop, shown(desktop.address) as made:
        for step in range(20):
            made.tray.show(Face(IconState.GENERATING, step / 20, f"Drawing {step}", FACE.entries))
            icons = await asyncio.gather(*(desktop.icon() for _ in range(30)))
            assert all(len(icon["IconPixmap"]) == len(SIZES) for icon in icons)
        assert len(desktop.watcher.names) == 1  # the connection has lasted


async def test_icon_comes_back_after_its_connection_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.tray_dbus._AGAIN_S", 0.05)
    async with Desktop.opened(tmp_path) as desktop, shown(desktop.address) as made:
        made.tray._later(made.tray._bus.disconnect)
        await until(lambda: len(desktop.watcher.names) == 2)
        await desktop.click("Quit")
        assert made.clicked == [Quit()]


async def test_desktop_without_tray_or_bus_is_told(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path, has_panel=False) as desktop:
        made = Shown(desktop.address)
        await asyncio.to_thread(made._run)
        assert "AppIndicator" in str(made.error)
    made = Shown(f"unix:path={tmp_path / 'none'}")
    await asyncio.to_thread(made._run)
    assert "no D-Bus session" in str(made.error)


async def test_tray_that_is_stopped_at_once_ends(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path) as desktop:
        made = Shown(desktop.address)
        made.tray.stop()
        await asyncio.to_thread(made._run)
        made.tray.show(FACE)
        made.tray.notify(Notice("x", "y", "z"))


async def test_menu_answers_quickly(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path) as desktop, shown(desktop.address):
        began_s = time.monotonic()
        for _ in range(50):
            await desktop.menu()
        assert (time.monotonic() - began_s) / 50 < 0.05
