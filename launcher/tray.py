"""Which tray there is on this system."""

import logging
import sys
from collections.abc import Callable

from launcher.tray_face import Clicked, Face, Notice, NoTray, Tray

log = logging.getLogger(__name__)


class AnyTray:
    """The first of several that works. `makers` make them, the best first."""

    def __init__(self, makers: list[Callable[[], Tray]]):
        self._makers = makers
        self._tray: Tray | None = None
        self._face: Face | None = None
        self._is_stopped = False
        self._is_seen = False
        self._early: list[Notice] = []  # told before anybody could see it

    def run(self, started: Callable[[], None]) -> None:
        """Raises `NoTray` with what the first of them says."""

        def seen() -> None:
            self._is_seen = True
            early, self._early = self._early, []
            for notice in early:
                self.notify(notice)
            started()

        reasons: list[NoTray] = []
        for make in self._makers:
            try:
                self._tray = make()
                if self._face is not None:
                    self._tray.show(self._face)
                if self._is_stopped:
                    self._tray.stop()
                self._tray.run(seen)
            except NoTray as error:
                log.debug("%s", error.message)  # whoever runs us tells it, if none of them works
                reasons.append(error)
                self._tray = None
            else:
                return
        raise reasons[0]

    def show(self, face: Face) -> None:
        self._face = face
        if self._tray is not None:
            self._tray.show(face)

    def notify(self, notice: Notice) -> None:
        if self._tray is not None and self._is_seen:
            self._tray.notify(notice)
        else:
            self._early.append(notice)
            log.info("%s: %s", notice.title, notice.body)

    def stop(self) -> None:
        self._is_stopped = True
        if self._tray is not None:
            self._tray.stop()


def tray_of_this_system(clicked: Clicked) -> Tray:
    """The tray of this desktop; whether there is one shows when it runs."""

    def by_dbus() -> Tray:
        from launcher.tray_dbus import DbusTray  # noqa: PLC0415 - Linux only

        return DbusTray(clicked)

    def by_pystray() -> Tray:
        from launcher.tray_pystray import PystrayTray  # noqa: PLC0415 - connects to a display

        return PystrayTray(clicked)

    def by_dbus_later() -> Tray:
        from launcher.tray_dbus import DbusTray  # noqa: PLC0415 - Linux only

        return DbusTray(clicked, waits=True)

    linux = [by_dbus, by_pystray, by_dbus_later]
    return AnyTray(linux if sys.platform == "linux" else [by_pystray])
