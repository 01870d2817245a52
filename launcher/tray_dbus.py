"""The tray icon on Linux: StatusNotifierItem and notifications over D-Bus. No GTK, no X11.

It runs an event loop of its own on the thread that calls `run`.
"""

import asyncio
import contextlib
import html
import logging
import os
from collections.abc import Callable
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from launcher.commands import Command, OpenCompass
from launcher.dbus_item import MENU_PATH, DbusItem
from launcher.dbus_menu import DbusMenu
from launcher.tray_face import Clicked, Face, Notice, NoTray

log = logging.getLogger(__name__)

ITEM_PATH = "/StatusNotifierItem"
_WATCHER = "org.kde.StatusNotifierWatcher"
_NOTIFICATIONS = "org.freedesktop.Notifications"
_NOTIFICATIONS_PATH = "/org/freedesktop/Notifications"
_DBUS, _DBUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"
_CALL_S = 5.0
_AGAIN_S = 2.0
_MOMENT_S = 0.1
_KEPT_NOTICES = 200
_LONGEST = 300
NO_BUS = "There is no D-Bus session, so that there is no tray icon; is this a desktop session?"
NO_WATCHER = (
    "This desktop shows no tray icons. On GNOME, install the extension AppIndicator"
    " (`apt install gnome-shell-extension-appindicator`, then log in again)."
)


class _PatientSocket:
    """A socket that is full sends nothing, and is no error.

    dbus-fast (5.2.0, `_MessageWriter.write_callback`) ends the connection then, which the pictures
    of a few icons are enough for.
    """

    def __init__(self, socket: Any):
        self._socket = socket

    def send(self, data: memoryview) -> int:
        """How many bytes went out."""
        try:
            return int(self._socket.send(data))
        except BlockingIOError:
            return 0


class DbusTray:
    """One icon on the session bus."""

    def __init__(self, clicked: Clicked, *, address: str | None = None, waits: bool = False):
        """`clicked` hears of what a person wants; it must return at once. `address` is that of the
        session bus, None for the usual one. With `waits` a panel may come later, which is usual
        at a login."""
        self._clicked = clicked
        self._address = address
        self._waits = waits
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._face: Face | None = None
        self._is_stopped = False
        self._notices: dict[int, Notice] = {}
        self._numbers: dict[str, int] = {}
        self._takes_markup: bool | None = None
        self._started: Callable[[], None] = lambda: None

    def run(self, started: Callable[[], None]) -> None:
        asyncio.run(self._run(started))

    def show(self, face: Face) -> None:
        self._face = face
        self._later(self._show_now)

    def notify(self, notice: Notice) -> None:
        self._later(lambda: asyncio.ensure_future(self._notify(notice)))

    def stop(self) -> None:
        self._is_stopped = True
        self._later(lambda: self._stopped.set() if self._stopped else None)

    def _later(self, act: Callable[[], object]) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(act)

    async def _run(self, started: Callable[[], None]) -> None:
        self._stopped = asyncio.Event()
        await self._connect()
        try:
            self._started, self._loop = started, asyncio.get_running_loop()
            self._show_now()
            if not await self._register():
                if not self._waits:
                    raise NoTray(NO_WATCHER)
                log.warning("%s Until then everything runs without an icon.", NO_WATCHER)
            while not self._is_stopped:
                await self._until_disconnected()
                if not self._is_stopped:
                    await self._connect_again()
        finally:
            self._loop = None
            self._bus.disconnect()

    async def _connect(self) -> None:
        try:
            self._bus = await MessageBus(
                bus_address=self._address, bus_type=BusType.SESSION
            ).connect()
        except Exception as error:  # it has many ways to say that there is none
            raise NoTray(NO_BUS) from error
        if self._bus._writer is not None:
            self._bus._writer.sock = _PatientSocket(self._bus._writer.sock)  # type: ignore[assignment]
        self._item = DbusItem(lambda: self._clicked(OpenCompass()))
        self._menu = DbusMenu(self._clicked)
        self._bus.export(ITEM_PATH, self._item)
        self._bus.export(MENU_PATH, self._menu)
        self._name = f"org.kde.StatusNotifierItem-{os.getpid()}-1"
        await self._bus.request_name(self._name)
        self._bus.add_message_handler(self._heard)
        await self._listen()

    async def _connect_again(self) -> None:
        """The session's bus has gone, or has thrown us out: it may be back."""
        log.warning("the tray icon has lost the desktop's bus, and looks for it again")
        while not self._is_stopped:
            await asyncio.sleep(_AGAIN_S)
            try:
                await self._connect()
            except (NoTray, OSError):
                continue
            self._show_now()
            await self._register()
            return

    async def _until_disconnected(self) -> None:
        """Returns when the connection ends, or `stop` was called."""
        assert self._stopped is not None  # noqa: S101 - made by `_run`
        tasks = [
            asyncio.ensure_future(one)
            for one in (self._stopped.wait(), self._bus.wait_for_disconnect())  # type: ignore[no-untyped-call]
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _show_now(self) -> None:
        face = self._face
        if face is not None:
            self._item.show(face.state, face.fraction, face.tooltip)
            self._menu.show(face.entries)

    async def _register(self) -> bool:
        """Whether a panel shows us."""
        answer = await self._call(
            (_WATCHER, "/StatusNotifierWatcher"), "RegisterStatusNotifierItem", "s",
            [self._name],
        )  # fmt: skip
        if answer is not None:
            self._started()
        return answer is not None

    async def _listen(self) -> None:
        """Hears when a panel comes, and what is clicked in notifications."""
        for rule in (
            f"type='signal',sender='{_DBUS}',member='NameOwnerChanged',arg0='{_WATCHER}'",
            f"type='signal',interface='{_NOTIFICATIONS}'",
        ):
            await self._call((_DBUS, _DBUS_PATH), "AddMatch", "s", [rule])

    def _heard(self, message: Message) -> None:
        if message.message_type is not MessageType.SIGNAL:
            return
        if message.member == "NameOwnerChanged" and message.body[0] == _WATCHER:
            if message.body[2]:  # the panel was started anew
                asyncio.ensure_future(self._register())  # noqa: RUF006 - short, and may fail
        elif message.member == "ActionInvoked" and message.interface == _NOTIFICATIONS:
            # A moment later: what was answered to `Notify` may just be on its way to us.
            asyncio.get_running_loop().call_later(_MOMENT_S, self._acted, *message.body)

    def _acted(self, number: int, key: str) -> None:
        """Somebody has clicked into a notification."""
        notice = self._notices.get(number)
        if notice is not None and (command := _action(notice, key)) is not None:
            self._clicked(command)

    async def _notify(self, notice: Notice) -> None:
        actions = [text for number, (label, _) in enumerate(notice.actions)
                   for text in (str(number), label)]  # fmt: skip
        body = await self._shown(notice.body)
        answer = await self._call(
            (_NOTIFICATIONS, _NOTIFICATIONS_PATH), "Notify", "susssasa{sv}i",
            ["Navigator", self._numbers.get(notice.key, 0), "", notice.title[:_LONGEST], body,
             actions, {"urgency": Variant("y", 1)}, -1],
        )  # fmt: skip
        if answer is None:
            log.info("%s %s", notice.title, notice.body)
            return
        self._numbers[notice.key] = answer[0]
        self._notices[answer[0]] = notice
        while len(self._notices) > _KEPT_NOTICES:
            del self._notices[next(iter(self._notices))]

    async def _shown(self, text: str) -> str:
        """What strangers have a say in is no markup; where it would be taken for it, it is escaped.

        Source: Desktop Notifications Specification, `body-markup`.
        """
        text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        if self._takes_markup is None:
            to = (_NOTIFICATIONS, _NOTIFICATIONS_PATH)
            answer = await self._call(to, "GetCapabilities", "", [])
            if answer is None:
                return html.escape(text, quote=False)
            self._takes_markup = "body-markup" in answer[0]
        return html.escape(text, quote=False) if self._takes_markup else text

    async def _call(
        self, to: tuple[str, str], member: str, signature: str, body: list[Any]
    ) -> list[Any] | None:
        """What the other says; None for nothing or an error. `to` is a name, which is that of the
        interface, too, and a path."""
        name, path = to
        message = Message(
            destination=name, path=path, interface=name, member=member,
            signature=signature, body=body,
        )  # fmt: skip
        try:
            async with asyncio.timeout(_CALL_S):
                answer = await self._bus.call(message)
        except Exception as error:  # the bus has gone, or nobody answers
            log.debug("%s.%s: %s", name, member, error)
            return None
        if answer is None or answer.message_type is not MessageType.METHOD_RETURN:
            return None
        found: list[Any] = answer.body
        return found


def _action(notice: Notice, key: str) -> Command | None:
    if not key.isdecimal() or int(key) >= len(notice.actions):
        return None
    return notice.actions[int(key)][1]
