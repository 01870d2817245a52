"""Tests of `launcher/tray.py`."""

from collections.abc import Callable

import pytest

from launcher.menu import IconState
from launcher.tray import AnyTray, tray_of_this_system
from launcher.tray_face import Face, Notice, NoTray

FACE = Face(IconState.READY, None, "Ready", ())


class Toy:
    """A tray that is there, or is not."""

    def __init__(self, reason: str | None = None):
        self.reason = reason
        self.calls: list[object] = []

    def run(self, started: Callable[[], None]) -> None:
        if self.reason is not None:
            raise NoTray(self.reason)
        self.calls.append("run")
        started()

    def show(self, face: Face) -> None:
        self.calls.append(face)

    def notify(self, notice: Notice) -> None:
        self.calls.append(notice)

    def stop(self) -> None:
        self.calls.append("stop")


def test_first_one_that_works_is_taken() -> None:
    broken, good, unused = Toy("no bus"), Toy(), Toy()
    tray = AnyTray([lambda: broken, lambda: good, lambda: unused])
    tray.show(FACE)
    notice = Notice("a", "b", "c")
    tray.notify(notice)  # nobody is there yet
    tray.run(lambda: tray.notify(notice))
    tray.stop()
    assert good.calls == [FACE, "run", notice, notice, "stop"]
    assert unused.calls == []


def test_without_any_the_first_says_why() -> None:
    def refuse() -> Toy:
        raise NoTray("no GTK")

    with pytest.raises(NoTray, match="no bus"):
        AnyTray([lambda: Toy("no bus"), refuse]).run(lambda: None)


def test_one_that_is_stopped_before_it_runs_is_told() -> None:
    good = Toy()
    tray = AnyTray([lambda: good])
    tray.stop()
    tray.run(lambda: None)
    assert good.calls == ["stop", "run"]


def test_every_system_has_one() -> None:
    assert isinstance(tray_of_this_system(lambda _: None), AnyTray)
