"""Share on LAN, as a switch that proves itself: what does not work goes back by itself."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from launcher import lan
from launcher.errors import LauncherError
from launcher.view import Sharing

log = logging.getLogger(__name__)

_NAME = "sharing.json"
_UNPROVEN = timedelta(minutes=5)
_READY_LIMIT_S = 120.0
_LOOK_S = 0.1


class NotShared(LauncherError):
    """Navigator did not come up again after the switch."""


class Server(Protocol):
    """The Navigator that is shared."""

    def share(self, with_others: bool) -> None:
        """Starts it again where others can reach it, or not. The queue stays."""

    def ready_url(self) -> str | None:
        """Its own address, once it answers where it was told to."""


class LanSharing:
    """The switch. It remembers what was proven, in a file of the launcher's `folder`."""

    def __init__(
        self,
        server: Server,
        folder: Path,
        *,
        test: Callable[[str], Awaitable[str | None]],
        addresses: Callable[[], list[str]] = lan.addresses,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_s: float = _LOOK_S,
    ):
        """`test` gives why an address does not work, None if it does."""
        self._server = server
        self._file = folder / _NAME
        self._test = test
        self._addresses = addresses
        self._now = now
        self._look_s = look_s
        self.state = Sharing()

    @staticmethod
    def was_on(folder: Path) -> bool:
        """Whether it was on, and proven, when the launcher ended. Blocks."""
        try:
            told = json.loads((folder / _NAME).read_text("utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(told, dict) and told.get("is_on") is True

    @staticmethod
    def remember(folder: Path, *, is_on: bool) -> None:
        """Keeps what somebody has said before the first start. Blocks; raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _NAME).write_text(json.dumps({"is_on": is_on}), "utf-8")

    @staticmethod
    def forget(folder: Path) -> None:
        """It was on, and is not to be any more. Blocks."""
        try:
            (folder / _NAME).unlink(missing_ok=True)
        except OSError as error:
            log.warning("Navigator may be shared again at the next start: %s", error)

    async def look(self, *, is_on: bool) -> None:
        """Keeps the addresses up to date, and goes back when the time is over."""
        if is_on != self.state.is_on:  # as it was started
            self.state = Sharing(is_on=is_on)
        url = self._server.ready_url()
        if is_on and url is not None:
            found = await asyncio.to_thread(self._urls, url)
            self.state = _with(self.state, addresses=found)
        ends = self.state.goes_back_at
        if ends is not None and self._now() >= ends:
            log.warning("sharing was not confirmed, and is switched off")
            await self._switch(False)

    async def turn(self, on: bool) -> None:
        """Switches, and tests itself through the address that friends would use.

        Raises `NotShared` when Navigator does not come up again.
        """
        await self._switch(on)
        url = await self._ready()
        if on:
            await self._prove(url)

    async def prove(self) -> None:
        """Tests what is shared already. Raises `NotShared`."""
        self.state = Sharing(True, self.state.addresses, goes_back_at=self._now() + _UNPROVEN)
        await self._prove(await self._ready())

    async def _switch(self, on: bool) -> None:
        # From the beginning, so that it also ends where Navigator takes long to come up again.
        self.state = Sharing(is_on=on, goes_back_at=self._now() + _UNPROVEN if on else None)
        if not on:
            await self._remember(False)
        self._server.share(on)

    async def _prove(self, url: str) -> None:
        found = await asyncio.to_thread(self._urls, url)
        if not found:
            problem: str | None = "This computer is in no network that friends could be in."
        else:
            problem = await self._test(found[0])
        goes_back_at = None if problem is None else self._now() + _UNPROVEN
        self.state = Sharing(True, found, problem, goes_back_at)
        if problem is None:
            await self._remember(True)

    async def keep(self) -> None:
        """Somebody says that it works."""
        self.state = _with(self.state, addresses=self.state.addresses, is_proven=True)
        await self._remember(True)

    async def _ready(self) -> str:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + _READY_LIMIT_S
        while loop.time() < deadline_s:
            url = self._server.ready_url()
            if url is not None:
                return url
            await asyncio.sleep(self._look_s)
        raise NotShared("Navigator did not come up again after the switch; its log says why.")

    async def _remember(self, is_on: bool) -> None:
        try:
            await asyncio.to_thread(self._file.write_text, json.dumps({"is_on": is_on}), "utf-8")
        except OSError as error:
            log.warning("whether Navigator is shared is not remembered: %s", error)

    def _urls(self, own_url: str) -> tuple[str, ...]:
        port = urlsplit(own_url).port
        return tuple(f"http://{address}:{port}" for address in self._addresses())


def _with(state: Sharing, *, addresses: tuple[str, ...], is_proven: bool = False) -> Sharing:
    if is_proven:
        return Sharing(state.is_on, addresses)
    return Sharing(state.is_on, addresses, state.problem, state.goes_back_at)
