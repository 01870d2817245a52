"""Makes Forge look for new files after we have changed some, however busy or away it is."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from app.errors import UpstreamFailed, UpstreamUnavailable
from app.library.catalogue import Catalogue
from app.tasks import running

log = logging.getLogger(__name__)

_AGAIN_S = 30.0


class ModelRefresh:
    """Remembers that there is something new until Forge has seen it."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        again_s: float = _AGAIN_S,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ):
        """A Forge that does not look is asked again after `again_s`."""
        self._catalogue = catalogue
        self._again_s = again_s
        self._sleep = sleep
        self._wanted = asyncio.Event()

    def want(self) -> None:
        """There is something new. Returns at once."""
        self._wanted.set()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Sees to it while the block runs."""
        async with running(self._work()):
            yield

    async def _work(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._catalogue.rescan_after_change()
            except (UpstreamFailed, UpstreamUnavailable) as error:
                # One that is away looks by itself when it starts; one that failed must be asked.
                log.info("Forge has not looked for new files yet: %s", error.message)
                self._wanted.set()
                await self._sleep(self._again_s)
