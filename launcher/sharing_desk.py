"""Share on LAN as its owner clicks it: the switch, the firewall, and the page with the address."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from launcher import lan, pages
from launcher.controller import Controller
from launcher.firewall import Firewall
from launcher.pages import Pages
from launcher.sharing import LanSharing
from launcher.view import Sharing

_ASKS = "Windows asks you"


class SharingDesk:
    """Does what is clicked. Raises `LauncherError` when it does not work."""

    def __init__(
        self,
        controller: Controller,
        served: Pages,
        firewall: Firewall,
        *,
        show: Callable[[str, str], Awaitable[None]],
        tell: Callable[[str, str], None],
        addresses: Callable[[], list[str]] = lan.addresses,
    ):
        """`show` opens a page, or says its second text; `tell` notifies with a title and a text."""
        self._controller = controller
        self._pages = served
        self._firewall = firewall
        self._show = show
        self._tell = tell
        self._one = asyncio.Lock()
        self._sharing = LanSharing(
            controller, controller.folder, test=self._why_unreachable, addresses=addresses
        )

    @property
    def state(self) -> Sharing:
        """How things are."""
        return self._sharing.state

    async def look(self) -> None:
        """Keeps it up to date, and tells when it goes back; to be called now and then."""
        was_on = self._sharing.state.is_on
        await self._sharing.look(is_on=self._controller.is_shared)
        if was_on and not self._sharing.state.is_on and not self._one.locked():
            self._tell(
                "Navigator is not shared any more",
                "Nobody has said within five minutes that it works.",
            )

    async def turn(self, on: bool) -> None:
        """Switches, and shows how it went."""
        async with self._one:
            await self._sharing.turn(on)
        if on:
            await self._show_it()
        elif await asyncio.to_thread(self._firewall.asks_before_shut):
            self._tell(_ASKS, "Navigator takes its rule out of the firewall again.")
            await asyncio.to_thread(self._firewall.shut)

    async def prove(self) -> None:
        """Tests what is shared already, and shows how it went."""
        async with self._one:
            await self._sharing.prove()
        await self._show_it()

    async def keep(self) -> None:
        """Its owner says that it works."""
        await self._sharing.keep()

    async def _show_it(self) -> None:
        state = self._sharing.state
        ports = [urlsplit(url).port or 0 for url in state.addresses[:1]]
        command = await self._let_in(ports) if ports else None
        url = self._pages.add("Share on LAN", pages.sharing(state, command))
        await self._show(url, " ".join(state.addresses))

    async def _let_in(self, ports: list[int]) -> str | None:
        """Opens the firewall, or gives what has to be typed; None for nothing to do."""
        if await asyncio.to_thread(self._firewall.asks_before, ports):
            listed = ", ".join(str(port) for port in ports)
            self._tell(
                _ASKS,
                f"Navigator opens port {listed} in the firewall, for private networks only.",
            )
        if await asyncio.to_thread(self._firewall.let_in, ports):
            return None
        return await asyncio.to_thread(self._firewall.command, ports)

    async def _why_unreachable(self, url: str) -> str | None:
        return await lan.why_unreachable(self._controller.session, url)
