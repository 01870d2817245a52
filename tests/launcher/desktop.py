"""A desktop of a test's own: a session bus, a panel that takes tray icons, and notifications."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from dbus_fast import BusType, Message, MessageType, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusInt32, DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from tests.launcher.buses import private_bus

Strings = Annotated[list[str], DBusSignature("as")]
Hints = Annotated[dict[str, Variant], DBusSignature("a{sv}")]
Clicked = Annotated[list[Any], DBusSignature("us")]


class Watcher(ServiceInterface):
    """The panel's list of icons."""

    def __init__(self) -> None:
        super().__init__("org.kde.StatusNotifierWatcher")
        self.names: list[str] = []

    @dbus_method()
    def RegisterStatusNotifierItem(self, name: DBusStr) -> None:
        self.names.append(name)

    @dbus_property(access=PropertyAccess.READ)
    def ProtocolVersion(self) -> DBusInt32:
        return 0


class Notifications(ServiceInterface):
    """What is told."""

    def __init__(self) -> None:
        super().__init__("org.freedesktop.Notifications")
        self.told: list[tuple[int, str, str, list[str]]] = []

    @dbus_method()
    def Notify(  # noqa: PLR0917
        self,
        app: DBusStr,
        replaces: DBusUInt32,
        icon: DBusStr,
        summary: DBusStr,
        body: DBusStr,
        actions: Strings,
        hints: Hints,
        timeout: DBusInt32,
    ) -> DBusUInt32:
        number = replaces or len(self.told) + 1
        self.told.append((number, summary, body, actions))
        return number

    @dbus_method()
    def GetCapabilities(self) -> Strings:
        return ["actions", "body", "body-markup"]

    @dbus_signal()
    def ActionInvoked(self, number: int, key: str) -> Clicked:
        return [number, key]


@dataclass
class Line:
    """An entry as the panel got it."""

    number: int
    label: str
    properties: dict[str, Any]
    children: list["Line"] = field(default_factory=list)

    def all(self) -> Iterator["Line"]:
        """It, and all below it."""
        yield self
        for child in self.children:
            yield from child.all()


class Desktop:
    """What a person sees and clicks."""

    def __init__(self, bus: MessageBus, address: str):
        self.address = address
        self.watcher = Watcher()
        self.notifications = Notifications()
        self.signals: list[str] = []
        self._bus = bus

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, folder: Path, *, has_panel: bool = True) -> AsyncIterator["Desktop"]:
        """With a panel, or without one."""
        async with private_bus(folder) as address:
            bus = await MessageBus(bus_address=address, bus_type=BusType.SESSION).connect()
            desktop = cls(bus, address)
            bus.export("/org/freedesktop/Notifications", desktop.notifications)
            bus.export("/StatusNotifierWatcher", desktop.watcher)
            await bus.request_name("org.freedesktop.Notifications")
            bus.add_message_handler(desktop._heard)
            to = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
            for interface in ("org.kde.StatusNotifierItem", "com.canonical.dbusmenu"):
                rule = f"type='signal',interface='{interface}'"
                await desktop.call(to, "AddMatch", "s", [rule])
            if has_panel:
                await desktop.add_panel()
            try:
                yield desktop
            finally:
                bus.disconnect()

    async def add_panel(self) -> None:
        """A panel appears."""
        await self._bus.request_name("org.kde.StatusNotifierWatcher")

    async def remove_panel(self) -> None:
        """It goes."""
        await self._bus.release_name("org.kde.StatusNotifierWatcher")

    async def call(
        self, to: tuple[str, str, str], member: str, signature: str = "", body: Any = ()
    ) -> list[Any]:
        """What somebody answers. `to` is a name, a path and an interface."""
        name, path, interface = to
        message = Message(
            destination=name, path=path, interface=interface, member=member,
            signature=signature, body=list(body),
        )  # fmt: skip
        answer = await asyncio.wait_for(self._bus.call(message), 10)
        assert answer is not None
        assert answer.message_type is MessageType.METHOD_RETURN, answer.body
        found: list[Any] = answer.body
        return found

    async def ask_menu(self, member: str, signature: str, *body: Any) -> list[Any]:
        """What the menu answers."""
        to = (self.watcher.names[-1], "/MenuBar", "com.canonical.dbusmenu")
        return await self.call(to, member, signature, body)

    async def icon(self) -> dict[str, Any]:
        """All properties of the icon."""
        to = (self.watcher.names[-1], "/StatusNotifierItem", "org.freedesktop.DBus.Properties")
        (found,) = await self.call(to, "GetAll", "s", ["org.kde.StatusNotifierItem"])
        return {name: variant.value for name, variant in found.items()}

    async def menu(self) -> Line:
        """The root of the menu."""
        _, root = await self.ask_menu("GetLayout", "iias", 0, -1, [])
        return _line(root)

    async def labels(self) -> list[str]:
        """What stands in the menu, from top to bottom."""
        return [line.label for line in (await self.menu()).children]

    async def find(self, *path: str) -> Line:
        """The entry below these others, each by the beginning of its label."""
        line = await self.menu()
        for number, label in enumerate(path, 1):
            line = next(
                one
                for one in line.children
                if one.label.startswith(label) and (number == len(path) or one.children)
            )
        return line

    async def click(self, *path: str) -> None:
        """Clicks that entry."""
        await self.click_number((await self.find(*path)).number)

    async def click_number(self, number: int) -> None:
        """Clicks the entry of a number, which may have gone meanwhile."""
        await self.ask_menu("Event", "isvu", number, "clicked", Variant("i", 0), 0)

    def _heard(self, message: Message) -> None:
        if message.message_type is MessageType.SIGNAL and message.member:
            self.signals.append(message.member)


def _line(node: list[Any]) -> Line:
    number, properties, children = node
    told = {name: variant.value for name, variant in properties.items()}
    return Line(number, told.get("label", ""), told, [_line(child.value) for child in children])
