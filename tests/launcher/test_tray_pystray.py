"""Tests of `launcher/tray_pystray.py`, with pystray's dummy and with a stand-in that remembers."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from launcher.commands import Command, Quit, Share
from launcher.menu import SEPARATOR, Entry, IconState
from launcher.tray_face import Face, Notice, NoTray
from launcher.tray_pystray import PystrayTray
from tests.waiting import until

ENTRIES = (
    Entry("Ready"),
    SEPARATOR,
    Entry("Share", Share(False), is_checked=True),
    Entry("More", children=(Entry("Quit", Quit()),)),
)
FACE = Face(IconState.GENERATING, 0.5, "Drawing", ENTRIES)


class Icon:
    """pystray's, as far as it is used. What is shown is counted."""

    HAS_NOTIFICATION = True
    HAS_MENU = True
    made: "list[Icon]"

    def __init__(self, name: str, *, title: str, menu: Any):
        self.name, self.title, self.menu = name, title, menu
        self.icon: Any = None
        self.visible = False
        self.updates = 0
        self.notified: list[tuple[str, str]] = []
        self._ended = threading.Event()
        type(self).made.append(self)

    def run(self, setup: Any) -> None:
        threading.Thread(target=setup, args=(self,)).start()
        self._ended.wait(20)

    def stop(self) -> None:
        self._ended.set()

    def update_menu(self) -> None:
        self.updates += 1

    def notify(self, message: str, title: str) -> None:
        self.notified.append((message, title))


class Menu:
    """A list of items."""

    SEPARATOR = "---"

    def __init__(self, *items: Any):
        self.items = items


class MenuItem:
    """One of them."""

    def __init__(self, text: str, action: Any, *, checked: Any, enabled: bool):
        self.text, self.action, self.checked, self.enabled = text, action, checked, enabled


@pytest.fixture
def library() -> SimpleNamespace:
    kind = type("OwnIcon", (Icon,), {"made": []})
    return SimpleNamespace(Icon=kind, Menu=Menu, MenuItem=MenuItem)


async def test_menu_is_shown_and_clicked(library: SimpleNamespace) -> None:
    clicked: list[Command] = []
    tray = PystrayTray(clicked.append, library=library)
    tray.show(FACE)
    started = threading.Event()
    thread = threading.Thread(target=tray.run, args=(started.set,))
    thread.start()
    await until(started.is_set)
    (icon,) = library.Icon.made
    assert (icon.visible, icon.title, icon.icon.size) == (True, "Drawing", (64, 64))
    ready, line, share, more = icon.menu.items
    assert (ready.text, ready.enabled, line) == ("Ready", False, "---")
    assert share.checked(share) is True
    assert ready.checked is None
    share.action(icon, share)
    more.action.items[0].action(icon, None)
    assert clicked == [Share(False), Quit()]
    picture, updates = icon.icon, icon.updates
    tray.show(Face(IconState.GENERATING, 0.501, "Drawing", ENTRIES))
    assert (icon.icon, icon.updates) == (picture, updates)  # nothing to be seen has changed
    tray.show(Face(IconState.READY, None, "Ready", (Entry("Quit", Quit()),)))
    assert icon.title == "Ready"
    assert icon.updates == updates + 1
    assert icon.icon is not picture
    tray.notify(Notice("a", "Title", "Body"))
    assert icon.notified == [("Body", "Title")]
    tray.stop()
    thread.join(10)
    assert not thread.is_alive()
    tray.show(FACE)
    tray.notify(Notice("a", "b", "c"))


def test_one_that_is_stopped_before_it_runs_ends(library: SimpleNamespace) -> None:
    tray = PystrayTray(lambda _: None, library=library)
    tray.stop()
    tray.run(lambda: None)


def test_one_that_fails_when_it_ends_has_ended(library: SimpleNamespace) -> None:
    tray = PystrayTray(lambda _: None, library=library)
    icon: type[Icon] = library.Icon

    def run(self: Icon, setup: Any) -> None:  # as pystray with GTK where nobody notifies
        setup(self)
        self._ended.wait(20)
        raise RuntimeError("org.freedesktop.Notifications was not provided")

    library.Icon = type("Failing", (icon,), {"run": run, "made": icon.made})
    tray.run(tray.stop)


def test_one_that_fails_while_it_runs_is_no_tray(library: SimpleNamespace) -> None:
    def run(self: Icon, setup: Any) -> None:
        raise RuntimeError("the display has gone")

    library.Icon = type("Failing", (library.Icon,), {"run": run, "made": library.Icon.made})
    with pytest.raises(NoTray, match="the display has gone"):
        PystrayTray(lambda _: None, library=library).run(lambda: None)


def test_system_without_one_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", "")
    monkeypatch.delenv("PYSTRAY_BACKEND", raising=False)
    with pytest.raises(NoTray, match="no tray icon here"):
        PystrayTray(lambda _: None)
