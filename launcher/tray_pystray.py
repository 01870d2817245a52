"""The tray icon through pystray: Windows, macOS, and Linux desktops with GTK's AppIndicator."""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

from launcher.icon import drawn
from launcher.menu import SEPARATOR, Entry, IconState
from launcher.tray_face import Clicked, Face, Notice, NoTray

log = logging.getLogger(__name__)

_SIZE = 64
_STEPS = 36


class PystrayTray:
    """One icon of pystray's."""

    def __init__(self, clicked: Clicked, *, library: Any = None):
        """`clicked` must return at once. `library` is for tests. Raises `NoTray`."""
        self._clicked = clicked
        try:
            self._pystray = library or _imported()
        except Exception as error:  # an error of Xlib's, of GTK's, or a missing library
            raise NoTray(f"There is no tray icon here ({error}).") from error
        self._icon: Any = None
        self._face: Face | None = None
        self._is_running = False
        self._is_stopped = False

    def run(self, started: Callable[[], None]) -> None:
        def set_up(icon: Any) -> None:
            self._is_running = True
            icon.visible = True
            if self._is_stopped:
                icon.stop()
            started()

        face = self._face
        self._icon = self._pystray.Icon("navigator", title="Navigator", menu=self._menu(()))
        if face is not None:
            self._show(face, None)
        else:
            self._icon.icon = drawn(IconState.STARTING, _SIZE)
        try:
            self._icon.run(setup=set_up)
        except Exception as error:
            if not self._is_stopped:
                raise NoTray(f"The tray icon failed ({error}).") from error
            # GTK's way takes back its last notification, also where nobody shows any.
            log.debug("the tray icon did not end in order: %s", error)
        finally:
            self._is_running = False

    def show(self, face: Face) -> None:
        before, self._face = self._face, face
        if self._icon is not None and self._is_running:
            self._show(face, before)

    def notify(self, notice: Notice) -> None:
        if self._icon is None or not self._is_running or not self._pystray.Icon.HAS_NOTIFICATION:
            log.info("%s %s", notice.title, notice.body)
            return
        with contextlib.suppress(Exception):  # a desktop without a place for them
            self._icon.notify(notice.body or notice.title, notice.title)

    def stop(self) -> None:
        self._is_stopped = True
        if self._icon is not None and self._is_running:
            with contextlib.suppress(Exception):  # GTK has gone before us
                self._icon.stop()

    def _show(self, face: Face, before: Face | None) -> None:
        """Only what is another than before: pystray draws all of it anew each time."""
        if before is None or _look(face) != _look(before):
            self._icon.icon = drawn(face.state, _SIZE, face.fraction)
        if before is None or face.tooltip != before.tooltip:
            self._icon.title = face.tooltip
        if before is None or face.entries != before.entries:
            self._icon.menu = self._menu(face.entries)
            if self._is_running:
                self._icon.update_menu()

    def _menu(self, entries: tuple[Entry, ...]) -> Any:
        return self._pystray.Menu(*self._items(entries))

    def _items(self, entries: tuple[Entry, ...]) -> Iterator[Any]:
        for entry in entries:
            if entry == SEPARATOR:
                yield self._pystray.Menu.SEPARATOR
                continue
            action: Any = self._menu(entry.children) if entry.children else self._action(entry)
            checked = None if entry.is_checked is None else _always(entry.is_checked)
            yield self._pystray.MenuItem(
                entry.label.replace("&", "&&") if sys.platform == "win32" else entry.label,
                action,
                checked=checked,
                enabled=entry.is_enabled,
            )

    def _action(self, entry: Entry) -> Callable[[Any, Any], None]:
        def act(_: Any, __: Any) -> None:
            if entry.command is not None:
                self._clicked(entry.command)

        return act


def _always(value: bool) -> Callable[[Any], bool]:
    return lambda _: value


def _look(face: Face) -> tuple[object, object]:
    step = None if face.fraction is None else round(face.fraction * _STEPS)
    return face.state, step


def _imported() -> Any:
    import pystray  # noqa: PLC0415 - it connects to a display

    if not pystray.Icon.HAS_MENU:  # its way for bare X11
        raise NoTray("this desktop shows icons without menus")
    return pystray
