"""What a tray shows and says, whatever draws it. Only data and the interface."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from launcher.commands import Command
from launcher.errors import LauncherError
from launcher.menu import Entry, IconState


class NoTray(LauncherError):
    """There is no tray to be in; the message says what to install."""


@dataclass(frozen=True)
class Face:
    """The icon, its menu, and the line that is shown when the pointer rests on it."""

    state: IconState
    fraction: float | None
    tooltip: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Notice:
    """A notification. `actions` are buttons, where the system has them: label and command.

    A later one with the same `key` takes its place.
    """

    key: str
    title: str
    body: str
    actions: tuple[tuple[str, Command], ...] = ()


Clicked = Callable[[Command], None]


class Tray(Protocol):
    """A tray icon. `run` is called on the main thread; the others from anywhere, at any time."""

    def run(self, started: Callable[[], None]) -> None:
        """Shows it, calls `started` once it can be seen, and returns after `stop`.

        Raises `NoTray`.
        """

    def show(self, face: Face) -> None:
        """Shows this from now on."""

    def notify(self, notice: Notice) -> None:
        """Tells something; nothing happens where that cannot be done."""

    def stop(self) -> None:
        """Takes the icon away."""
