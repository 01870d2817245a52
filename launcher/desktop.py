"""Runs the launcher with a tray icon: the icon on the main thread, everything else on another."""

import asyncio
import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from launcher import autostart, logs
from launcher.commands import (
    BeginAnew,
    Command,
    InstallCompass,
    OpenFirstRun,
    OpenSettings,
    ProveSharing,
    Quit,
)
from launcher.console import on_window_closed
from launcher.control import Refused, listening
from launcher.controller import FOLDER, Controller
from launcher.desk import Desk
from launcher.errors import SettingsInvalid
from launcher.first_run import Answers
from launcher.folders import folders_of
from launcher.gpu import Gpu
from launcher.outside import Outside
from launcher.pages import Pages
from launcher.questions import Questions
from launcher.renewal import Renewal
from launcher.setting_list import SettingList
from launcher.settings import LauncherSettings
from launcher.settings_page import SettingsPage
from launcher.sharing import LanSharing
from launcher.tray import tray_of_this_system
from launcher.tray_face import Clicked, Notice, NoTray, Tray
from launcher.waiting_faces import SET_UP, trouble

log = logging.getLogger(__name__)

_EXIT_SETTINGS_INVALID = 78


class Desktop:
    """The tray and the thread behind it."""

    def __init__(
        self,
        load: Callable[[], LauncherSettings],
        settings: LauncherSettings,
        environ: Mapping[str, str],
        *,
        options: Sequence[str],
        forge_option: Sequence[str] = (),
        asks: bool,
        make_tray: Callable[[Clicked], Tray] = tray_of_this_system,
    ):
        """`load` reads the settings, `settings` are those of now, or what holds instead. `options`
        are of `navigator serve`, `forge_option` is of ours. With `asks` the first run comes
        first."""
        self._load = load
        self._settings = settings
        self._environ = environ
        self._options = options
        self._all_options = (*options, *forge_option)
        self._asks = asks
        self._tray = make_tray(self._want)
        self._outside = Outside(environ)
        self._desk: Desk | None = None
        self._controller: Controller | None = None
        self._questions: Questions | None = None
        self._renewal = Renewal(load)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_icon, self._no_tray = threading.Event(), threading.Event()
        self._quit: asyncio.Event | None = None
        self._code = 1
        self._is_stopped = False

    def run(self) -> int:
        """Runs until somebody quits; gives the exit code. Call it on the main thread."""
        thread = threading.Thread(target=self._work, name="controller")
        thread.start()
        self._obey_signals()
        try:
            self._tray.run(lambda: self._tray_is(self._has_icon))
        except NoTray as error:
            log.warning("%s Going on without one.", error.message)
            self._tray_is(self._no_tray)
        except KeyboardInterrupt:
            self.stop()
        finally:
            while thread.is_alive():
                thread.join(0.5)  # with pauses, in which signals are heard
        return self._code

    def stop(self) -> None:
        """Ends everything; from whatever thread."""
        self._is_stopped = True
        self._later(self._stop_now)

    def _stop_now(self) -> None:
        if self._quit is not None:
            self._quit.set()
        if self._controller is not None:
            self._controller.stop()

    def _tray_is(self, known: threading.Event) -> None:
        """Says on the other thread what is known of the tray now, or will be once it has begun."""
        known.set()
        self._later(self._take_note_of_tray)

    def _take_note_of_tray(self) -> None:
        if self._questions is not None:
            self._questions.tray_is(
                has_icon=self._has_icon.is_set(), has_none=self._no_tray.is_set()
            )

    def _later(self, act: Callable[[], object]) -> None:
        """Does it on the other thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(act)

    def _want(self, command: Command) -> None:
        """Takes what a person wants, on the tray's thread."""
        match command:
            case OpenFirstRun():
                self._later(self._ask_again)
            case BeginAnew():
                self._later(self._renewal.wanted.set)
            case _ if self._desk is not None:
                self._desk.want(command)
            case OpenSettings():
                self._later(self._open_settings)
            case Quit():
                self.stop()

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
        self._quit, self._loop = asyncio.Event(), asyncio.get_running_loop()
        async with (
            Pages().serving() as self._pages,
            listening(self._settings.data_dir / FOLDER, self._command),
        ):
            self._settings_page = self._page_of_settings()
            self._questions = Questions(
                self._pages,
                self._environ,
                open_page=self._outside.open_page,
                tell=self._tray.notify,
                controller=lambda: self._controller,
            )
            self._take_note_of_tray()
            return await self._work_on()

    async def _work_on(self) -> int:
        """Begins again and again: with new settings, with other answers."""
        assert self._questions is not None  # noqa: S101 - made by `_control`
        assert self._quit is not None  # noqa: S101 - made by `_control`
        while not self._is_stopped:
            try:
                self._settings = self._load()
            except SettingsInvalid as error:
                if not await self._is_mended(error.message):
                    return _EXIT_SETTINGS_INVALID
                continue
            answers = self._questions.taken()
            if self._asks:
                self._tray.show(SET_UP)
                self._questions.ask(self._settings)
                answers = await self._questions.answered(self._quit)
                self._asks = False
                if answers is not None:
                    self._settings = self._load()
            if self._is_stopped:
                break
            code = await self._supervise(answers)
            self._controller = self._desk = self._renewal.controller = None
            if not (self._renewal.take() or self._questions.is_answered):
                return code
        return 0

    async def _is_mended(self, sentence: str) -> bool:
        """Returns when the settings are to be tried again; False when nobody can mend them."""
        assert self._questions is not None  # noqa: S101 - made by `_control`
        assert self._quit is not None  # noqa: S101 - made by `_control`
        log.error("%s", sentence)
        self._renewal.waits_for_settings = True
        self._tray.show(trouble(sentence))
        self._tray.notify(Notice("trouble", "Navigator cannot start", sentence))
        url = self._settings_page.url()
        is_shown = await self._questions.wait_for(
            self._renewal.wanted, self._quit, url=url, title="The settings"
        )
        self._renewal.waits_for_settings = False
        self._renewal.take()
        return is_shown

    def _page_of_settings(self) -> SettingsPage:
        return SettingsPage(
            self._pages,
            SettingList(self._settings.data_dir, self._environ, options=self._all_options),
            self._renewal,
            env_path=self._settings.env_file,
            log_dir=self._settings.log_dir,
            folders=lambda: folders_of(self._settings, self._environ),
            open_file=self._outside.open_file,
        )

    def _open_settings(self) -> None:
        if self._questions is not None:
            self._questions.show(self._settings_page.url(), "The settings")

    def _ask_again(self) -> None:
        """Shows the page. What runs goes on until it is answered."""
        if self._questions is not None and not self._renewal.waits_for_settings:
            self._questions.ask(self._settings)

    async def _command(self, asked: dict[str, Any]) -> Any:
        """What the command line wants. Raises `Refused`."""
        controller = self._controller
        if controller is not None and controller.started.is_set():
            return await controller.command(asked)
        match asked.get("command"):
            case "stop":
                self.stop()
                return None
            case "show":
                if self._renewal.waits_for_settings:
                    self._open_settings()
                else:
                    self._ask_again()
                return {"text": "It waits for an answer in your browser.", "json": {}}
        raise Refused("Nothing runs yet: it is starting, or waits for an answer in a browser.")

    async def _supervise(self, answers: Answers | None) -> int:
        """Runs both until somebody quits, or wants to begin anew; gives the exit code."""
        folder = self._settings.data_dir / FOLDER
        if answers is not None and not answers.is_shared:
            await asyncio.to_thread(LanSharing.forget, folder)  # or a start would share it again
        is_lan = await asyncio.to_thread(LanSharing.was_on, folder)
        controller = Controller(
            self._settings,
            self._environ,
            options=self._options,
            echo=logs.echo,
            is_headless=False,
            is_lan=is_lan or (answers is not None and answers.is_shared),
        )
        controller.ends_all = self.stop
        self._controller = self._renewal.controller = controller
        running = asyncio.create_task(controller.run())
        started = asyncio.create_task(controller.started.wait())
        await asyncio.wait({running, started}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            started.cancel()
            return running.result()
        if self._is_stopped:
            controller.stop()
        command = autostart.own_command(self._settings.data_dir, self._all_options)
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
            if answers is not None:
                if answers.is_shared:
                    self._desk.want(ProveSharing())
                if answers.installs_compass:
                    self._desk.want(InstallCompass())
            return await running
