"""The icon over D-Bus: `org.kde.StatusNotifierItem`.

Source: the StatusNotifierItem specification at freedesktop.org.
"""

from collections.abc import Callable
from typing import Annotated, Any

from dbus_fast import PropertyAccess
from dbus_fast.annotations import (
    DBusBool,
    DBusInt32,
    DBusObjectPath,
    DBusSignature,
    DBusStr,
)
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal
from PIL import Image

from launcher.icon import SIZES, drawn
from launcher.menu import IconState

MENU_PATH = "/MenuBar"
_TITLE = "Navigator"
_STEPS = 36

Pixmap = list[Any]
Pixmaps = Annotated[list[Pixmap], DBusSignature("a(iiay)")]
# Icon's name, its pixmaps, a title and a text.
Tip = Annotated[list[Any], DBusSignature("(sa(iiay)ss)")]


class DbusItem(ServiceInterface):
    """Serves the icon that it was told last."""

    def __init__(self, activated: Callable[[], None]):
        """`activated` hears of clicks on the icon itself, where a panel tells of them."""
        super().__init__("org.kde.StatusNotifierItem")
        self._activated = activated
        self._shown: tuple[IconState, int | None] | None = None
        self._pixmaps: list[Pixmap] = []
        self._tooltip = _TITLE
        self._status = "Active"
        self.show(IconState.STARTING, None, _TITLE)

    def show(self, state: IconState, fraction: float | None, tooltip: str) -> None:
        """Serves this from now on; tells the panel what has changed."""
        step = None if fraction is None else round(fraction * _STEPS)
        if (state, step) != self._shown:
            self._shown = (state, step)
            self._pixmaps = [_pixmap(drawn(state, size, fraction)) for size in SIZES]
            self.NewIcon()
            self.NewAttentionIcon()
        status = "NeedsAttention" if state is IconState.ATTENTION else "Active"
        if status != self._status:
            self._status = status
            self.NewStatus(status)
        if tooltip != self._tooltip:
            self._tooltip = tooltip
            self.NewToolTip()

    @dbus_method()
    def Activate(self, x: DBusInt32, y: DBusInt32) -> None:
        self._activated()

    @dbus_method()
    def SecondaryActivate(self, x: DBusInt32, y: DBusInt32) -> None:
        pass

    @dbus_method()
    def ContextMenu(self, x: DBusInt32, y: DBusInt32) -> None:
        pass

    @dbus_method()
    def Scroll(self, delta: DBusInt32, orientation: DBusStr) -> None:
        pass

    @dbus_signal()
    def NewIcon(self) -> None:
        pass

    @dbus_signal()
    def NewAttentionIcon(self) -> None:
        pass

    @dbus_signal()
    def NewToolTip(self) -> None:
        pass

    @dbus_signal()
    def NewStatus(self, status: str) -> DBusStr:
        return status

    @dbus_property(access=PropertyAccess.READ)
    def Category(self) -> DBusStr:
        return "ApplicationStatus"

    @dbus_property(access=PropertyAccess.READ)
    def Id(self) -> DBusStr:
        return "navigator"

    @dbus_property(access=PropertyAccess.READ)
    def Title(self) -> DBusStr:
        return _TITLE

    @dbus_property(access=PropertyAccess.READ)
    def Status(self) -> DBusStr:
        return self._status

    @dbus_property(access=PropertyAccess.READ)
    def WindowId(self) -> DBusInt32:
        return 0

    @dbus_property(access=PropertyAccess.READ)
    def IconName(self) -> DBusStr:
        return ""

    @dbus_property(access=PropertyAccess.READ)
    def IconPixmap(self) -> Pixmaps:
        return self._pixmaps

    @dbus_property(access=PropertyAccess.READ)
    def AttentionIconName(self) -> DBusStr:
        return ""

    @dbus_property(access=PropertyAccess.READ)
    def AttentionIconPixmap(self) -> Pixmaps:
        return self._pixmaps

    @dbus_property(access=PropertyAccess.READ)
    def ToolTip(self) -> Tip:
        return ["", [], _TITLE, self._tooltip]

    @dbus_property(access=PropertyAccess.READ)
    def ItemIsMenu(self) -> DBusBool:
        return False

    @dbus_property(access=PropertyAccess.READ)
    def Menu(self) -> DBusObjectPath:
        return MENU_PATH


def _pixmap(image: Image.Image) -> Pixmap:
    """Width, height, and ARGB in the order of the network."""
    red, green, blue, alpha = image.split()
    data = Image.merge("RGBA", (alpha, red, green, blue)).tobytes()
    return [image.width, image.height, data]
