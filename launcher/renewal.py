"""Starts again what changed settings concern: Navigator alone, or Forge and the launcher's part."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from launcher import logs
from launcher.controller import Controller
from launcher.errors import LauncherError
from launcher.service_state import ServiceState
from launcher.settings import NAMES, LauncherSettings

# What Forge is started by, or the launcher itself reads only when it begins.
_OF_BOTH = NAMES | {"SD_API_HOST", "SD_API_BASE", "SD_API_AUTH", "HTTP_API_HOST"}
_NAVIGATOR = "navigator"


@dataclass(frozen=True)
class Age:
    """How often everything was begun, and how often Navigator was started since."""

    controllers: int
    starts: int


@dataclass(frozen=True)
class Progress:
    """How far a new start is. `sentence` says why it failed, or what Forge says meanwhile."""

    is_done: bool
    has_failed: bool = False
    sentence: str = ""


class BeginsAlready(LauncherError):
    """Everything is being started anew at this moment."""


class Renewal:
    """One for the whole life of the launcher; `controller` is the one of now, None between two."""

    def __init__(self, load: Callable[[], LauncherSettings]):
        """`load` reads the settings anew. It raises `SettingsInvalid`."""
        self._load = load
        self._starts = -1
        self._controllers = 0
        self._controller: Controller | None = None
        self.waits_for_settings = False  # nothing runs, since they are impossible
        self.wanted = asyncio.Event()  # everything is to begin anew

    @property
    def controller(self) -> Controller | None:
        """What runs now."""
        return self._controller

    @controller.setter
    def controller(self, controller: Controller | None) -> None:
        self._controller = controller
        self._controllers += controller is not None

    def begin(self, names: Iterable[str]) -> None:
        """Starts again what these settings concern; returns at once.

        Raises `SettingsInvalid` and `BeginsAlready`.
        """
        settings, controller = self._load(), self._controller
        if controller is None and not self.waits_for_settings:
            raise BeginsAlready("Everything is being started already; try again in a moment.")
        if controller is None or concerns_both(names):
            self._starts = -1
            self._controller = None
            self.wanted.set()
            if controller is not None:
                controller.stop()
            return
        self.hide_secrets()
        controller.reload(settings)
        self._starts = controller.snapshot().navigator.starts
        controller.restart_service(_NAVIGATOR)

    def hide_secrets(self) -> None:
        """Keeps the secrets of now out of all logs, also those that are in use only later."""
        with contextlib.suppress(LauncherError):
            secrets = self._load().secrets
            logs.hide(secrets)
            if self._controller is not None and self._controller.started.is_set():
                self._controller.hide(secrets)

    def take(self) -> bool:
        """Whether everything is to begin anew; asked once for each time."""
        is_wanted = self.wanted.is_set()
        self.wanted.clear()
        return is_wanted

    def age(self) -> Age:
        """Which start of everything this is, and which of Navigator's in it."""
        controller = self._controller
        if controller is None or not controller.started.is_set():
            return Age(self._controllers, 0)
        return Age(self._controllers, controller.snapshot().navigator.starts)

    @property
    def draws(self) -> bool:
        """Whether a picture is drawn now."""
        controller = self._controller
        if controller is None or not controller.started.is_set():
            return False
        status = controller.snapshot().status
        return status is not None and status.job is not None

    def progress(self) -> Progress:
        """How far Navigator's new start is."""
        controller = self._controller
        if controller is None or not controller.started.is_set():
            return Progress(is_done=False)
        shown = controller.snapshot()
        server = shown.navigator
        if server.starts <= self._starts:
            return Progress(is_done=False)
        if server.state in {ServiceState.FAILED, ServiceState.BACKOFF, ServiceState.STOPPED}:
            said = server.sentence or "Navigator was stopped."
            return Progress(is_done=False, has_failed=True, sentence=said)
        is_done = server.state is ServiceState.RUNNING
        return Progress(is_done=is_done, sentence=shown.forge.last_line)


def concerns_both(names: Iterable[str]) -> bool:
    """Whether Forge has to be started again, too, before they hold."""
    return not _OF_BOTH.isdisjoint(names)
