"""Forge's lists, kept so that nobody waits for Forge and nobody hammers it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from app.clients.forge import ForgeClient
from app.clients.forge_http import JsonObject, MissingRoute
from app.clients.forge_lists import ForgeLists
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.tasks import running

log = logging.getLogger(__name__)

_EXPIRY_S = 300.0


class Catalogue:
    """The last known lists of one Forge."""

    def __init__(self, forge: ForgeClient, *, expiry_s: float = _EXPIRY_S):
        self._forge = forge
        self._expiry_s = expiry_s
        self._lists: ForgeLists | None = None
        self._read_s = time.monotonic()
        self._lock = asyncio.Lock()

    @property
    def lists(self) -> ForgeLists:
        """The last known lists; all empty while none are known."""
        return self._lists or ForgeLists()

    def known(self) -> ForgeLists:
        """The last known lists. Raises `UpstreamUnavailable` while none are known."""
        if self._lists is None:
            raise UpstreamUnavailable(
                "Forge has not answered since Navigator started, so its lists are not known yet.",
                service="forge",
                code="FORGE_UNAVAILABLE",
            )
        return self._lists

    async def refresh(self) -> None:
        """Reads all lists anew, at once. Raises what `ForgeClient` raises; keeps the old ones then.

        A list that Forge has no route for is empty.
        """
        async with self._lock:
            checkpoints, modules, samplers, schedulers, upscalers, loras = await asyncio.gather(
                self._forge.checkpoints(),
                _or_none(self._forge.modules),
                self._forge.samplers(),
                _or_none(self._forge.schedulers),
                _or_none(self._forge.upscalers),
                _or_none(self._forge.loras),
            )
            self._lists = ForgeLists(
                checkpoints,
                modules or [],
                samplers,
                schedulers or [],
                upscalers or [],
                loras or [],
                has_modules=modules is not None,
            )
            self._read_s = time.monotonic()

    @contextlib.asynccontextmanager
    async def kept_fresh(self) -> AsyncIterator[None]:
        """Reads the lists anew when they have expired, while the block runs."""
        async with running(self._refresh_on_expiry()):
            yield

    async def _refresh_on_expiry(self) -> None:
        while True:
            age_s = time.monotonic() - self._read_s
            await asyncio.sleep(max(1.0, self._expiry_s - age_s))
            if time.monotonic() - self._read_s >= self._expiry_s:
                try:
                    await self.refresh()
                except (UpstreamFailed, UpstreamUnavailable) as error:
                    log.info("lists stay as they are: %s", error.message)
                    self._read_s = time.monotonic()


async def _or_none(fetch: Callable[[], Awaitable[list[JsonObject]]]) -> list[JsonObject] | None:
    try:
        return await fetch()
    except MissingRoute:
        return None
