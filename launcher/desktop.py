"""Runs the launcher with a tray icon: the icon on the main thread, everything else on another."""

import asyncio
import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from launcher import autostart, first_run, logs
from launcher.commands import Command, InstallCompass, OpenFirstRun, ProveSharing, Quit
from launcher.console import on_window_closed
from launcher.controller import FOLDER, Controller
from launcher.desk import Desk
from launcher.first_run import Answers
from launcher.folders import folders_of
from launcher.gpu import Gpu
from launcher.instance import RunsAlready, only_instance
from launcher.menu import SEPARATOR, Entry, IconState
from launcher.navigator_api import NavigatorAway
from launcher.outside import Outside
from launcher.owner import Owner
from launcher.pages import Pages
from launcher.people import People
from launcher.renewal import Renewal
from launcher.running import show_first
from launcher.service_state import ServiceState
from launcher.set_up import SetUp
from launcher.setting_list import SettingList
from launcher.settings import LauncherSettings
from launcher.settings_page import SettingsPage
from launcher.sharing import LanSharing
from launcher.tray import tray_of_this_system
from launcher.tray_face import Clicked, Face, NoTray, Tray

log = logging.getLogger(__name__)


class Desktop:
    """The tray and the thread behind it."""

    def __init__(
        self,
        load: Callable[[], LauncherSettings],
        environ: Mapping[str, str],
        *,
        options: Sequence[str],
        asks: bool,
        make_tray: Callable[[Clicked], Tray] = tray_of_this_system,
    ):
        """`load` reads the settings; with `asks` the first run comes first."""
        self._load = load
        self._settings = load()
        self._environ = environ
        self._options = options
        self._asks = asks
        self._tray = make_tray(self._want)
        self._outside = Outside(environ)
        self._desk: Desk | None = None
        self._controller: Controller | None = None
        self._set_up: SetUp | None = None
        self._renewal = Renewal(load)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._quit: asyncio.Event | None = None
        self._code = 1
        self._is_stopped = False

    def run(self) -> int:
        """Runs until somebody quits; gives the exit code. Call it on the main thread."""
        thread = threading.Thread(target=self._work, name="controller")
        thread.start()
        self._obey_signals()
        try:
            self._tray.run(lambda: None)
        except NoTray as error:
            log.warning("%s Going on without one.", error.message)
        except KeyboardInterrupt:
            self.stop()
        finally:
            while thread.is_alive():
                thread.join(0.5)  # with pauses, in which signals are heard
        return self._code

    def stop(self) -> None:
        """Ends everything; from whatever thread."""
        self._is_stopped = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._stop_now)

    def _stop_now(self) -> None:
        if self._quit is not None:
            self._quit.set()
        if self._controller is not None:
            self._controller.stop()

    def _want(self, command: Command) -> None:
        """Takes what a person wants, on the tray's thread."""
        if self._desk is not None and not isinstance(command, OpenFirstRun):
            self._desk.want(command)
        elif isinstance(command, Quit):
            self.stop()
        elif isinstance(command, OpenFirstRun) and self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ask_again)

    def _obey_signals(self) -> None:
        names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
        for number in (getattr(signal, name, None) for name in names):
            if number is not None:
                signal.signal(number, lambda *_: self.stop())
        if sys.platform == "win32":
            on_window_closed(self.stop)

    def _work(self) -> None:
        try:
            self._code = asyncio.run(self._control())
        except Exception:
            log.exception("the launcher failed")
        finally:
            self._tray.stop()

    async def _control(self) -> int:
        self._loop, self._quit = asyncio.get_running_loop(), asyncio.Event()
        async with Pages().serving() as self._pages:
            self._settings_page = self._page_of_settings()
            while True:
                answers = await self._asked() if self._asks else None
                if self._is_stopped:
                    return 0
                code = await self._supervise(answers)
                self._controller = self._desk = self._renewal.controller = None
                if self._is_stopped or not (self._asks or self._renewal.take()):
                    return code
                self._settings = self._load()

    def _page_of_settings(self) -> SettingsPage:
        return SettingsPage(
            self._pages,
            SettingList(self._settings.data_dir, self._environ),
            self._renewal,
            env_path=self._settings.env_file,
            log_dir=self._settings.log_dir,
            folders=lambda: folders_of(self._settings, self._environ),
            open_file=self._outside.open_file,
        )

    async def _asked(self) -> Answers | None:
        """What the owner answers; None when they quit instead."""
        self._set_up = SetUp(
            self._pages,
            self._settings.env_file,
            self._environ,
            self._settings.told,
            is_shared=await asyncio.to_thread(LanSharing.was_on, self._settings.data_dir / FOLDER),
            welcome=self._welcome,
            last_line=lambda: (
                self._controller.snapshot().forge.last_line
                if self._controller is not None and self._controller.started.is_set()
                else ""
            ),
        )
        self._tray.show(_SET_UP_FACE)
        self._ask_again()
        assert self._quit is not None  # noqa: S101 - made by `_control`
        tasks: tuple[asyncio.Task[Any], ...] = (
            asyncio.create_task(self._set_up.answered()),
            asyncio.create_task(self._quit.wait()),
        )
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        self._asks = False
        if not tasks[0].done() or tasks[0].cancelled():
            return None
        self._settings = self._load()
        answers: Answers = tasks[0].result()
        return answers

    def _ask_again(self) -> None:
        """Shows the page; ends what runs, if need be, to begin with it."""
        if self._controller is not None:
            self._asks = True
            self._controller.stop()
            return
        if self._set_up is not None:
            url = self._set_up.url()
            log.info("the set-up page: %s", url.rpartition("/")[0])
            opening = asyncio.to_thread(self._outside.open_page, url)
            self._opening = asyncio.ensure_future(opening)

    async def _welcome(self) -> str | None:
        """Where the owner goes once Navigator answers: logged in."""
        controller = self._controller
        if controller is None or not controller.started.is_set():
            return None
        shown = controller.snapshot()
        if shown.navigator.state is not ServiceState.RUNNING:
            return None
        try:
            code = await Owner(controller.folder).code(People(controller.api))
        except (NavigatorAway, OSError):
            return None
        return f"{controller.api.url}/?code={code}"

    async def _supervise(self, answers: Answers | None) -> int:
        """Runs both until somebody quits, or wants the set-up again; gives the exit code."""
        folder = self._settings.data_dir / FOLDER
        is_lan = await asyncio.to_thread(LanSharing.was_on, folder)
        if answers is not None:
            is_lan = answers.is_shared
            if not is_lan:  # or the next start would share it again
                await asyncio.to_thread(LanSharing.forget, folder)
        controller = Controller(
            self._settings,
            self._environ,
            options=self._options,
            echo=logs.echo,
            ends_with_navigator=False,
            is_lan=is_lan,
        )
        self._controller = self._renewal.controller = controller
        running = asyncio.create_task(controller.run())
        started = asyncio.create_task(controller.started.wait())
        await asyncio.wait({running, started}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            started.cancel()
            return running.result()
        if self._is_stopped:
            controller.stop()
        command = autostart.own_command(self._settings.data_dir)
        self._desk = Desk(
            controller,
            self._tray,
            self._pages,
            self._settings_page,
            end=self.stop,
            outside=self._outside,
            gpu=Gpu(),
            autostart=autostart.of_this_system(self._environ, command),
        )
        async with self._desk.staffed():
            if answers is not None and self._set_up is not None:
                self._set_up.go_on()
                if answers.is_shared:
                    self._desk.want(ProveSharing())
                if answers.installs_compass:
                    self._desk.want(InstallCompass())
            return await running


_SET_UP_FACE = Face(
    IconState.STARTING,
    None,
    "Set-up: see your browser",
    (
        Entry("Set-up: see your browser"),
        SEPARATOR,
        Entry("Open the set-up page", OpenFirstRun()),
        SEPARATOR,
        Entry("Quit", Quit()),
    ),
)


def run_desktop(
    environ: Mapping[str, str],
    *,
    data_dir: Path | None,
    forge_dir: Path | None,
    options: Sequence[str],
    at_login: bool = False,
) -> int:
    """Runs the launcher with its icon; gives the exit code. Raises `LauncherError`.

    `at_login`: the system starts it, so that nothing is opened.
    """

    def load() -> LauncherSettings:
        return LauncherSettings.load(environ, data_dir=data_dir, forge_dir=forge_dir)

    settings = load()
    folder = settings.data_dir / FOLDER
    is_known = first_run.is_known(settings)
    try:
        with only_instance(folder):
            logs.configure(settings.log_dir, secrets=settings.secrets)
            asks = not is_known and not at_login
            return Desktop(load, environ, options=options, asks=asks).run()
    except RunsAlready as error:
        return asyncio.run(show_first(folder, error))
