"""Starts again what changed settings concern: Navigator alone, or Forge and the launcher's part."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from launcher import logs
from launcher.controller import Controller
from launcher.service_state import ServiceState
from launcher.settings import NAMES, LauncherSettings

# What Forge is started by, or the launcher itself reads only when it begins.
_OF_BOTH = NAMES | {"SD_API_HOST", "SD_API_BASE", "SD_API_AUTH", "HTTP_API_HOST"}
_NAVIGATOR = "navigator"


@dataclass(frozen=True)
class Progress:
    """How far a new start is. `sentence` says why it failed, or what Forge says meanwhile."""

    is_done: bool
    has_failed: bool = False
    sentence: str = ""


class Renewal:
    """One for the whole life of the launcher; `controller` is the one of now, None between two."""

    def __init__(self, load: Callable[[], LauncherSettings]):
        """`load` reads the settings anew. It raises `SettingsInvalid`."""
        self._load = load
        self._starts = -1
        self._is_anew = False
        self.controller: Controller | None = None

    def begin(self, names: Iterable[str]) -> None:
        """Starts again what these settings concern; returns at once. Raises `SettingsInvalid`."""
        settings, controller = self._load(), self.controller
        if controller is None:
            return
        if concerns_both(names):
            self._starts, self._is_anew = -1, True
            self.controller = None
            controller.stop()
            return
        logs.hide(settings.secrets)
        controller.reload(settings)
        self._starts = controller.snapshot().navigator.starts
        controller.restart_service(_NAVIGATOR)

    def take(self) -> bool:
        """Whether everything is to begin anew; asked once for each time."""
        is_anew, self._is_anew = self._is_anew, False
        return is_anew

    @property
    def draws(self) -> bool:
        """Whether a picture is drawn now."""
        controller = self.controller
        if controller is None or not controller.started.is_set():
            return False
        status = controller.snapshot().status
        return status is not None and status.job is not None

    def progress(self) -> Progress:
        """How far Navigator's new start is."""
        controller = self.controller
        if controller is None or not controller.started.is_set():
            return Progress(is_done=False)
        shown = controller.snapshot()
        server = shown.navigator
        if server.starts <= self._starts:
            return Progress(is_done=False)
        if server.state in {ServiceState.FAILED, ServiceState.BACKOFF}:
            return Progress(is_done=False, has_failed=True, sentence=server.sentence or "")
        is_done = server.state is ServiceState.RUNNING
        return Progress(is_done=is_done, sentence=shown.forge.last_line)


def concerns_both(names: Iterable[str]) -> bool:
    """Whether Forge has to be started again, too, before they hold."""
    return not _OF_BOTH.isdisjoint(names)
