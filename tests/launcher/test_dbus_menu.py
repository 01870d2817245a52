"""Tests of `launcher/dbus_menu.py`: what panels ask besides."""

from pathlib import Path
from typing import Any

from dbus_fast import Variant

from launcher.commands import Approve, Quit, Share, Stop
from launcher.menu import Entry, IconState
from launcher.tray_face import Face
from tests.launcher.desktop import Desktop
from tests.launcher.test_tray_dbus import shown
from tests.waiting import until


async def ask(desktop: Desktop, member: str, signature: str, *body: Any) -> Any:
    """What the menu answers."""
    answer = await desktop.ask_menu(member, signature, *body)
    return answer[0] if len(answer) == 1 else answer


async def test_parts_of_the_menu_are_given(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path) as desktop, shown(desktop.address):
        friend = await desktop.find("Ann")
        revision, node = await ask(desktop, "GetLayout", "iias", 0, 1, [])
        assert revision > 0
        assert all(child.value[2] == [] for child in node[2])
        _, below = await ask(desktop, "GetLayout", "iias", friend.number, -1, [])
        assert [child.value[1]["label"].value for child in below[2]] == ["Approve", "Deny"]
        told = dict(await ask(desktop, "GetGroupProperties", "aias", [friend.number, 999_999], []))
        assert told.keys() == {friend.number}
        everything = await ask(desktop, "GetGroupProperties", "aias", [], [])
        assert len(everything) == 8
        label = await ask(desktop, "GetProperty", "is", friend.number, "label")
        assert label.value == "Ann__e"
        assert (await ask(desktop, "GetProperty", "is", 999_999, "label")).value == ""
        assert await ask(desktop, "AboutToShow", "i", 0) is False
        assert await ask(desktop, "AboutToShowGroup", "ai", [0, 999_999]) == [[], [999_999]]


async def test_several_clicks_come_at_once(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path) as desktop, shown(desktop.address) as made:
        number = (await desktop.find("Quit")).number
        events = [[number, "clicked", Variant("i", 0), 0], [number, "hovered", Variant("i", 0), 0],
                  [999_999, "clicked", Variant("i", 0), 0]]  # fmt: skip
        assert await ask(desktop, "EventGroup", "a(isvu)", events) == [999_999]
        assert made.clicked == [Quit()]


async def test_open_menu_stays_open_while_only_texts_change(tmp_path: Path) -> None:
    def at(step: int, *more: Entry) -> Face:
        friend = Entry("Anne", children=(Entry("Approve", Approve("7")),))
        entries = (
            Entry(f"Drawing {step}"),
            Entry(f"Waiting for approval ({step})", children=(friend, *more)),
            Entry(f"Forge: {step}", children=(Entry("Stop", Stop("forge")),)),
            Entry("Sharing", Share(True), is_checked=bool(step % 2)),
        )
        return Face(IconState.READY, None, "x", entries)

    async with Desktop.opened(tmp_path) as desktop, shown(desktop.address) as made:
        made.tray.show(at(1))
        before = await desktop.menu()
        desktop.signals.clear()
        made.tray.show(at(2))
        await until(lambda: "ItemsPropertiesUpdated" in desktop.signals)
        after = await desktop.menu()
        assert [line.number for line in after.all()] == [line.number for line in before.all()]
        assert after.children[0].label == "Drawing 2"
        assert after.children[3].properties["toggle-state"] == 0
        assert "LayoutUpdated" not in desktop.signals
        made.tray.show(at(3, Entry("Ben", children=(Entry("Approve", Approve("8")),))))
        await until(lambda: "LayoutUpdated" in desktop.signals)
        anne = await desktop.find("Waiting", "Anne", "Approve")
        assert anne.number in [line.number for line in before.all()]
        await desktop.click("Waiting", "Ben", "Approve")
        assert made.clicked == [Approve("8")]


async def test_menu_that_is_the_same_is_not_told_again(tmp_path: Path) -> None:
    async with Desktop.opened(tmp_path) as desktop, shown(desktop.address) as made:
        face = Face(IconState.READY, None, "x", (Entry("Quit", Quit()),))
        made.tray.show(face)
        first = (await desktop.find("Quit")).number
        for _ in range(5):
            made.tray.show(face)
        assert (await desktop.find("Quit")).number == first
