"""The menu over D-Bus: `com.canonical.dbusmenu`, as panels ask for it.

An entry keeps its number as long as it means the same, and a number never means anything else, so
that a click on a menu that is changing means what was shown. Source: the interface's description
in libdbusmenu (com.canonical.dbusmenu.xml).
"""

import re
from collections import Counter, OrderedDict
from typing import Annotated, Any

from dbus_fast import PropertyAccess, Variant
from dbus_fast.annotations import (
    DBusBool,
    DBusInt32,
    DBusSignature,
    DBusStr,
    DBusUInt32,
    DBusVariant,
)
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from launcher.menu import SEPARATOR, Entry
from launcher.tray_face import Clicked

Properties = dict[str, Variant]
# Number, properties, and the nodes below it, each in a variant.
Node = list[Any]
Numbers = Annotated[list[int], DBusSignature("ai")]
Names = Annotated[list[str], DBusSignature("as")]
Layout = Annotated[list[Any], DBusSignature("u(ia{sv}av)")]
Group = Annotated[list[Any], DBusSignature("a(ia{sv})")]
Events = Annotated[list[Any], DBusSignature("a(isvu)")]
TwoLists = Annotated[list[Any], DBusSignature("aiai")]
Updated = Annotated[list[int], DBusSignature("ui")]
Changes = Annotated[list[Any], DBusSignature("a(ia{sv})a(ias)")]

_REMEMBERED = 2000
_CLICKED = "clicked"
_VARIES = re.compile(r" \(|: ")


class DbusMenu(ServiceInterface):
    """Serves the entries that it was told last."""

    def __init__(self, clicked: Clicked):
        super().__init__("com.canonical.dbusmenu")
        self._clicked = clicked
        self._revision = 1
        self._last_number = 0
        self._entries: tuple[Entry, ...] = ()
        self._root: Node = [0, {}, []]
        self._properties: dict[int, Properties] = {}
        self._nodes: dict[int, Node] = {}
        self._commands: OrderedDict[object, Entry] = OrderedDict()
        self._numbers: OrderedDict[object, int] = OrderedDict()
        self.show(())

    def show(self, entries: tuple[Entry, ...]) -> None:
        """Serves these from now on, and tells the panel when they are others than before.

        An open menu stays open as long as only texts and marks change.
        """
        if entries == self._entries and self._nodes:
            return
        before, shape = self._properties, _shape(self._root)
        self._entries = entries
        self._properties, self._nodes = {}, {}
        self._root = self._node(0, {"children-display": Variant("s", "submenu")}, entries)
        for memory in (self._commands, self._numbers):
            while len(memory) > max(_REMEMBERED, 2 * len(self._nodes)):
                memory.popitem(last=False)
        self._revision += 1
        if _shape(self._root) != shape:
            self.LayoutUpdated(self._revision, 0)
            return
        changed = [[number, told] for number, told in self._properties.items()
                   if told != before.get(number)]  # fmt: skip
        lost = [[number, sorted(gone)] for number, told in self._properties.items()
                if (gone := before.get(number, {}).keys() - told.keys())]  # fmt: skip
        self.ItemsPropertiesUpdated(changed, lost)

    def _node(self, number: int, properties: Properties, children: tuple[Entry, ...]) -> Node:
        nodes, seen = [], Counter[object]()
        for entry in children:
            key = _key(entry)
            child_number = self._number(number, key, seen[key])
            seen[key] += 1
            child = self._node(child_number, _properties_of(entry), entry.children)
            self._commands[child_number] = entry
            self._commands.move_to_end(child_number)
            nodes.append(Variant("(ia{sv}av)", child))
        node: Node = [number, properties, nodes]
        self._properties[number], self._nodes[number] = properties, node
        return node

    def _number(self, parent: int, key: object, occurrence: int) -> int:
        """That of this entry, the same as long as it means the same."""
        place = (parent, key, occurrence)
        if place not in self._numbers:
            self._last_number += 1
            self._numbers[place] = self._last_number
        self._numbers.move_to_end(place)
        return self._numbers[place]

    @dbus_method()
    def GetLayout(self, parent: DBusInt32, depth: DBusInt32, names: Names) -> Layout:
        node = self._nodes.get(parent, self._root)
        return [self._revision, _cut(node, depth)]

    @dbus_method()
    def GetGroupProperties(self, ids: Numbers, names: Names) -> Group:
        wanted = ids or list(self._properties)
        return [[one, self._properties[one]] for one in wanted if one in self._properties]

    @dbus_method()
    def GetProperty(self, number: DBusInt32, name: DBusStr) -> DBusVariant:
        return self._properties.get(number, {}).get(name, Variant("s", ""))

    @dbus_method()
    def Event(
        self, number: DBusInt32, event: DBusStr, data: DBusVariant, timestamp: DBusUInt32
    ) -> None:
        self._happened(number, event)

    @dbus_method()
    def EventGroup(self, events: Events) -> Numbers:
        for number, event, _, _ in events:
            self._happened(number, event)
        return [number for number, *_ in events if number not in self._commands]

    @dbus_method()
    def AboutToShow(self, number: DBusInt32) -> DBusBool:
        return False  # what is shown is always what holds

    @dbus_method()
    def AboutToShowGroup(self, ids: Numbers) -> TwoLists:
        return [[], [one for one in ids if one not in self._nodes]]

    @dbus_signal()
    def LayoutUpdated(self, revision: int, parent: int) -> Updated:
        return [revision, parent]

    @dbus_signal()
    def ItemsPropertiesUpdated(self, changed: list[Any], lost: list[Any]) -> Changes:
        return [changed, lost]

    @dbus_property(access=PropertyAccess.READ)
    def Version(self) -> DBusUInt32:
        return 3

    @dbus_property(access=PropertyAccess.READ)
    def Status(self) -> DBusStr:
        return "normal"

    @dbus_property(access=PropertyAccess.READ)
    def TextDirection(self) -> DBusStr:
        return "ltr"

    def _happened(self, number: int, event: str) -> None:
        entry = self._commands.get(number)
        if event == _CLICKED and entry is not None and entry.command is not None:
            self._clicked(entry.command)


def _key(entry: Entry) -> object:
    """What an entry means, whatever numbers and states stand in its text."""
    if entry.command is not None:
        return entry.command
    if entry.children:
        return _VARIES.split(entry.label)[0]
    return entry == SEPARATOR


def _shape(node: Node) -> object:
    """Which entries stand where."""
    return node[0], tuple(_shape(child.value) for child in node[2])


def _properties_of(entry: Entry) -> Properties:
    if entry == SEPARATOR:
        return {"type": Variant("s", "separator")}
    found = {"label": Variant("s", entry.label.replace("_", "__"))}  # one marks a key
    if entry.children:
        found["children-display"] = Variant("s", "submenu")
    if not entry.is_enabled:
        found["enabled"] = Variant("b", False)
    if entry.is_checked is not None:
        found["toggle-type"] = Variant("s", "checkmark")
        found["toggle-state"] = Variant("i", int(entry.is_checked))
    return found


def _cut(node: Node, depth: int) -> Node:
    """The node with so many levels below it; -1 for all."""
    if depth < 0:
        return node
    number, properties, children = node
    if depth == 0:
        return [number, properties, []]
    below = [Variant("(ia{sv}av)", _cut(child.value, depth - 1)) for child in children]
    return [number, properties, below]
