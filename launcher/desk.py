"""Between the tray and everything else: does what a person wants, and says what there is to see.

It runs beside the controller, on the controller's thread. Whatever fails becomes a notification.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

from launcher import firewall, queue_commands
from launcher.autostart import Autostart
from launcher.commands import (
    Approve,
    Command,
    CopyAddress,
    Deny,
    Disable,
    InstallCompass,
    Invite,
    KeepSharing,
    OpenCompass,
    OpenLog,
    OpenSettings,
    ProveSharing,
    Quit,
    Restart,
    Share,
    Start,
    StartAtLogin,
    Stop,
)
from launcher.controller import Controller
from launcher.errors import LauncherError
from launcher.gpu import Gpu
from launcher.log_view import LOGS
from launcher.navigator_api import NavigatorAway
from launcher.notices import notices, with_what_was_known
from launcher.outside import Outside
from launcher.owner import Owner
from launcher.pages import Pages, invitation
from launcher.people import People
from launcher.service_state import ServiceState
from launcher.settings_page import SettingsPage
from launcher.sharing_desk import SharingDesk
from launcher.status_view import checkpoint_of, downloads_of, face, queue_of
from launcher.tray_face import Notice, Tray
from launcher.view import Friend, GpuMemory, View

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_PEOPLE_S = 15.0
_SURE_S = 15.0


class Desk:
    """One person's tray."""

    def __init__(
        self,
        controller: Controller,
        tray: Tray,
        pages: Pages,
        settings: SettingsPage,
        *,
        end: Callable[[], None],
        outside: Outside,
        gpu: Gpu,
        autostart: Autostart | None,
        look_s: float = _LOOK_S,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._controller = controller
        self._tray = tray
        self._outside = outside
        self._gpu = gpu
        self._autostart = autostart
        self._look_s = look_s
        self._clock = clock
        self._pages = pages
        self._settings = settings
        self._end = end
        self._owner = Owner(controller.folder)
        self._sharing = SharingDesk(
            controller, pages, firewall.of_this_system(), show=self._open, tell=self._tell
        )
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._wanted: asyncio.Queue[Command] = asyncio.Queue()
        self._view: View | None = None
        self._told: View | None = None  # what notices were made of
        self._waiting: tuple[Friend, ...] = ()
        self._users: tuple[Friend, ...] = ()
        self._people_s = float("-inf")
        self._count: object = None
        self._before_bytes: int | None = None
        self._asked_to_quit_s = float("-inf")
        self._beside: list[asyncio.Task[None]] = []

    def want(self, command: Command) -> None:
        """Takes what a person wants, from whatever thread; returns at once."""
        with contextlib.suppress(RuntimeError):  # everything has ended
            if isinstance(command, Quit):  # also while another one takes long
                self._loop.call_soon_threadsafe(self._quit, command.is_sure)
            else:
                self._loop.call_soon_threadsafe(self._wanted.put_nowait, command)

    @contextlib.asynccontextmanager
    async def staffed(self) -> AsyncIterator[None]:
        """Works while the block runs."""
        self._controller.on_show = lambda: self._tell(
            "Navigator runs already", "Its icon is in the tray."
        )
        tasks = [asyncio.create_task(work) for work in (self._show(), self._obey())]
        try:
            yield
        finally:
            for task in (*tasks, *self._beside):
                task.cancel()
            await asyncio.wait([*tasks, *self._beside])

    async def _show(self) -> None:
        while True:
            try:
                await self._look()
            except Exception:
                log.exception("the tray could not be brought up to date")
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await self._wake.wait()

    async def _look(self) -> None:
        await self._ask_for_people()
        await self._sharing.look()
        gpu = await asyncio.to_thread(self._gpu.read)
        starts = await asyncio.to_thread(self._autostart.is_on) if self._autostart else None
        view = self._seen(gpu, starts)
        self._view = view
        self._tray.show(face(view))
        # While Navigator is away for a moment, nothing is news.
        before, self._told = self._told, with_what_was_known(view, self._told)
        if before is not None:
            for notice in notices(before, self._told):
                self._tray.notify(notice)

    def _seen(self, gpu: GpuMemory | None, starts_at_login: bool | None) -> View:
        shown = self._controller.snapshot()
        status = shown.status if shown.navigator.state is ServiceState.RUNNING else None
        queue = None if status is None else queue_of(status)
        if gpu is not None:
            if queue is not None and queue.is_freeing and self._before_bytes is None:
                self._before_bytes = gpu.used_bytes
            elif queue is not None and not (queue.is_freeing or queue.is_freed):
                self._before_bytes = None
            if queue is not None and queue.is_freed:
                gpu = replace(gpu, before_bytes=self._before_bytes)
        return View(
            forge=shown.forge,
            navigator=shown.navigator,
            queue=queue,
            checkpoint=None if status is None else checkpoint_of(status),
            waiting=self._waiting,
            users=self._users,
            gpu=gpu,
            sharing=replace(self._sharing.state, is_fixed=self._controller.is_shared_by_settings),
            treatment=shown.treatments.now or shown.notice,
            starts_at_login=starts_at_login,
            downloads=None if status is None else downloads_of(status),
        )

    async def _ask_for_people(self) -> None:
        status = self._controller.snapshot().status
        count = status.told.get("waiting_friends") if status is not None else None
        is_due = self._clock() - self._people_s >= _PEOPLE_S
        if status is None or not (is_due or count != self._count):
            return
        people = People(self._controller.api)
        with contextlib.suppress(NavigatorAway):
            self._waiting, self._users = await people.waiting(), await people.users()
            self._people_s, self._count = self._clock(), count

    async def _obey(self) -> None:
        while True:
            await self._tried(self._do(await self._wanted.get()))

    def _go_on_beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Does what takes long, so that other commands need not wait."""
        self._beside = [task for task in self._beside if not task.done()]
        self._beside.append(asyncio.create_task(self._tried(work)))

    async def _tried(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except LauncherError as error:
            self._tell("It did not work", error.message)
        except OSError as error:
            self._tell("It did not work", f"The system refuses it: {error}.")
        except Exception:
            log.exception("what was clicked failed")
            self._tell("It did not work", "The launcher's log says why.")
        self._people_s = float("-inf")
        self._wake.set()

    async def _do(self, command: Command) -> None:
        if await queue_commands.obey(self._controller.api, command):
            return
        people = People(self._controller.api)
        match command:
            case OpenCompass():
                await self._open_compass()
            case CopyAddress(url):
                if not await asyncio.to_thread(self._outside.copy_text, url):
                    self._tell("The address for your friends", url)
            case Invite():
                invited = await people.invite()
                url = self._pages.add("Invite a friend", invitation(invited))
                await self._open(url, f"The link: {invited.link}")
            case Approve(user_id):
                friend = await people.decide(user_id, "approve")
                self._tell(f"{friend.name or user_id} is in", "They can log in now.")
            case Deny(user_id):
                await people.decide(user_id, "deny")
            case Disable(user_id):
                await people.decide(user_id, "disable")
            case Share(with_others):
                self._go_on_beside(self._sharing.turn(with_others))
            case ProveSharing():
                self._go_on_beside(self._sharing.prove())
            case InstallCompass():
                self._go_on_beside(self._install_compass())
            case KeepSharing():
                await self._sharing.keep()
            case Start(service):
                self._controller.start_service(service)
            case Stop(service):
                self._controller.stop_service(service)
            case Restart(service):
                self._controller.restart_service(service)
            case OpenLog(name):
                path = self._controller.log_dir / LOGS[name]
                await self._open(self._settings.url(name), f"The log is {path}")
            case OpenSettings():
                path = self._controller.log_dir.parent / ".env"
                await self._open(self._settings.url(), f"The settings are in {path}")
            case StartAtLogin(wanted):
                if self._autostart is not None:
                    await asyncio.to_thread(self._autostart.turn, wanted)

    async def _open_compass(self) -> None:
        """With the owner logged in, who gets an account when this is done for the first time."""
        code = await self._owner.code(People(self._controller.api))
        url = self._controller.api.url
        await self._open(f"{url}/?code={code}", f"Open {url} in a browser.")

    async def _install_compass(self) -> None:
        """Beside everything else: it is large, and the network may be slow."""
        code, said = await self._controller.run_navigator("compass", "install")
        if code == 0:
            self._tell("Compass is installed", "Open it from this icon.")
        else:
            self._tell("Compass is not installed", f"{said} Navigator's own page does meanwhile.")

    async def _open(self, url: str, otherwise: str) -> None:
        if not await asyncio.to_thread(self._outside.open_page, url):
            self._tell("No browser could be opened", otherwise)

    def _quit(self, is_sure: bool) -> None:
        queue = self._view.queue if self._view is not None else None
        is_sure = is_sure or self._clock() - self._asked_to_quit_s < _SURE_S
        if is_sure or queue is None or queue.running is None:
            self._end()
            return
        self._asked_to_quit_s = self._clock()
        self._tray.notify(
            Notice(
                "quit",
                "A picture is being drawn",
                "It goes back to its place in the queue, and is drawn after the next start. Choose"
                " Quit again to end now.",
                (("Quit now", Quit(is_sure=True)),),
            )
        )

    def _tell(self, title: str, body: str) -> None:
        self._tray.notify(Notice(title, title, body))
