"""Asks the owner on the set-up page, for the first time or again, where that can be done at all."""

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any

from launcher.controller import FOLDER, Controller
from launcher.errors import LauncherError
from launcher.first_run import Answers
from launcher.navigator_api import NavigatorAway
from launcher.owner import Owner
from launcher.pages import Pages
from launcher.people import People
from launcher.service_state import ServiceState
from launcher.set_up import SetUp
from launcher.settings import LauncherSettings
from launcher.sharing import LanSharing
from launcher.tray_face import Notice

log = logging.getLogger(__name__)

_ICON_S = 60.0  # at a login the panel may come later than we do


class Questions:
    """One for the whole life of the launcher."""

    def __init__(
        self,
        pages: Pages,
        environ: Mapping[str, str],
        *,
        open_page: Callable[[str], bool],
        tell: Callable[[Notice], None],
        controller: Callable[[], Controller | None],
        icon_s: float = _ICON_S,
    ):
        """`open_page` blocks. `controller` gives the one that runs now, which ends when the answers
        are there. An icon is waited for for `icon_s` seconds."""
        self._pages = pages
        self._environ = environ
        self._has_icon, self._has_none = asyncio.Event(), asyncio.Event()
        self._open_page = open_page
        self._tell = tell
        self._controller = controller
        self._icon_s = icon_s
        self._set_up: SetUp | None = None
        self._taken = False
        self._is_hidden = asyncio.Event()
        self._beside: set[asyncio.Task[Any]] = set()

    @property
    def is_answered(self) -> bool:
        """Whether there are answers that nothing has begun with yet."""
        return self._set_up is not None and self._set_up.is_answered and not self._taken

    def tray_is(self, *, has_icon: bool, has_none: bool) -> None:
        """What is known of the tray: an icon that is seen, or that there can be none."""
        if has_icon:
            self._has_icon.set()
        if has_none:
            self._has_none.set()

    def ask(self, settings: LauncherSettings) -> None:
        """Shows the page, anew if it is open already. Returns at once."""
        if self._set_up is None or self._taken:
            self._taken = False
            self._set_up = SetUp(
                self._pages,
                settings.env_file,
                self._environ,
                settings.told,
                is_shared=LanSharing.was_on(settings.data_dir / FOLDER),
                welcome=self._welcome,
                last_line=self._last_line,
            )
            self._keep(self._begin_with(self._set_up))
        self.show(self._set_up.url(), "The set-up page")

    def show(self, url: str, title: str) -> None:
        """Opens a page; says where it is if that fails. Returns at once."""
        self._keep(self._show(url, title))

    def taken(self) -> Answers | None:
        """The answers that nothing has begun with yet; they count as begun with from now on."""
        if not self.is_answered:
            return None
        assert self._set_up is not None  # noqa: S101 - `is_answered`
        self._taken = True
        self._set_up.go_on()
        return self._set_up.answers

    async def answered(self, quits: asyncio.Event) -> Answers | None:
        """What the owner answers, or the defaults if nobody can be asked; None for quitting."""
        assert self._set_up is not None  # noqa: S101 - `ask` comes first
        done = asyncio.Event()
        set_up = self._set_up

        async def wait() -> None:
            await set_up.answered()
            done.set()

        self._keep(wait())
        if not await self._first_of(done, quits):
            log.warning("Nobody can be asked here, so that the defaults hold; see the README.")
            try:
                await set_up.take_defaults()
            except (OSError, LauncherError) as error:
                log.error("the defaults cannot be kept: %s", error)
                return None
        return self.taken()

    async def wait_for(
        self, wanted: asyncio.Event, quits: asyncio.Event, *, url: str, title: str
    ) -> bool:
        """Shows a page and waits; False when nobody can see it."""
        self.show(url, title)
        return await self._first_of(wanted, quits)

    async def _first_of(self, wanted: asyncio.Event, quits: asyncio.Event) -> bool:
        """Waits for one of them; False when there is neither a page nor an icon."""
        tasks = [
            asyncio.create_task(work)
            for work in (wanted.wait(), quits.wait(), self._cannot_be_seen())
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        return wanted.is_set() or quits.is_set()

    async def _cannot_be_seen(self) -> None:
        await self._is_hidden.wait()
        tasks = [asyncio.create_task(one.wait()) for one in (self._has_icon, self._has_none)]
        try:
            await asyncio.wait(tasks, timeout=self._icon_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        if self._has_icon.is_set():
            await asyncio.Event().wait()

    async def _show(self, url: str, title: str) -> None:
        log.info("%s: %s", title, url.rpartition("/")[0])  # without its token
        if await asyncio.to_thread(self._open_page, url):
            self._is_hidden.clear()
            return
        self._is_hidden.set()
        print(f"{title}: {url}", file=sys.stderr)  # noqa: T201 - not into a log: it holds a key
        self._tell(Notice("page", f"{title} could not be opened", f"Open it yourself: {url}"))

    async def _begin_with(self, set_up: SetUp) -> None:
        """Ends what runs, once there are answers to begin anew with."""
        await set_up.answered()
        controller = self._controller()
        if controller is not None:
            controller.stop()

    async def _welcome(self) -> str | None:
        """Where the owner goes once Navigator answers: logged in."""
        controller = self._controller()
        if controller is None or not controller.started.is_set():
            return None
        if controller.snapshot().navigator.state is not ServiceState.RUNNING:
            return None
        try:
            code = await Owner(controller.folder).code(People(controller.api))
        except (NavigatorAway, OSError):
            return None
        return f"{controller.api.url}/?code={code}"

    def _last_line(self) -> str:
        controller = self._controller()
        if controller is None or not controller.started.is_set():
            return ""
        return controller.snapshot().forge.last_line

    def _keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
