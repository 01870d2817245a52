"""Whether Forge can take a job: probes it, and tells when it comes, goes, or needs a restart."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from app.clients.forge import ForgeClient
from app.clients.forge_http import ForgeBroken, MissingRoute
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.tasks import running

log = logging.getLogger(__name__)

# `loras` answers 404 for up to a second after `options` works [startup/timeline]; forks without
# LoRA support answer it for ever.
_LORAS_GRACE_S = 15.0
_NOT_PROBED = "Forge has not answered yet."


class ForgeHealth:
    """The state of one Forge. `reason` says why it is not ready, None when it is."""

    def __init__(
        self,
        forge: ForgeClient,
        *,
        on_ready: Callable[[], Awaitable[None]],
        probe_interval_s: float = 10.0,
        retry_interval_s: float = 1.0,
    ):
        """`on_ready` runs each time Forge (re)appears, before jobs are let through."""
        self._forge = forge
        self._on_ready = on_ready
        self._probe_interval_s = probe_interval_s
        self._retry_interval_s = retry_interval_s
        self._ready = asyncio.Event()
        self._probe_now = asyncio.Event()
        self._options_since: float | None = None
        self._was_gone = False
        self.reason: str | None = _NOT_PROBED
        self.restart_wanted: str | None = None

    @property
    def waiting_reason(self) -> str | None:
        """Why jobs wait, or may wait for long; None when all is well."""
        if self.reason is None and self.restart_wanted is not None:
            return f"Forge should be restarted: {self.restart_wanted}"
        return self.reason

    @property
    def is_ready(self) -> bool:
        """Whether jobs can be sent."""
        return self._ready.is_set()

    async def wait_ready(self) -> None:
        """Returns when jobs can be sent."""
        await self._ready.wait()

    def report_trouble(self, reason: str) -> None:
        """Holds jobs back until the next probe succeeds, which starts at once."""
        self._ready.clear()
        self.reason = reason
        self._probe_now.set()

    def want_restart(self, reason: str) -> None:
        """Remembers that only a restart of Forge helps, until it was gone or has drawn again."""
        self.restart_wanted = reason
        log.warning("Forge should be restarted: %s", reason)

    def report_success(self) -> None:
        """Takes note that Forge has made a picture."""
        self.restart_wanted = None

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Probes Forge while the block runs."""
        async with running(self._watch()):
            yield

    async def _watch(self) -> None:
        while True:
            try:
                await self._probe()
            except (UpstreamUnavailable, UpstreamFailed) as error:
                self._was_gone = self._was_gone or isinstance(error, UpstreamUnavailable)
                self._lost(error.message)
            self._probe_now.clear()
            wait_s = self._probe_interval_s if self.is_ready else self._retry_interval_s
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._probe_now.wait(), wait_s)
                await asyncio.sleep(min(wait_s, 0.1))  # a burst of reports is one probe

    async def _probe(self) -> None:
        """Forge is ready when `options` and `loras` both answer [README, sections 1 and 3].

        `options` answers 500 for ever once somebody has set one to a value of the wrong type; such
        a Forge draws all the same.
        """
        try:
            await self._forge.options()
        except ForgeBroken as error:
            log.debug("Forge cannot tell its options: %s", error.message)
        except (UpstreamUnavailable, UpstreamFailed):
            self._options_since = None
            raise
        now = time.monotonic()
        self._options_since = self._options_since or now
        try:
            await self._forge.loras()
        except MissingRoute:
            if now - self._options_since < _LORAS_GRACE_S:
                raise
        if not self.is_ready:
            await self._on_ready()
            log.info("Forge is ready")
            self.reason = None
            if self._was_gone:
                self.restart_wanted = None
            self._was_gone = False
            self._ready.set()

    def _lost(self, reason: str) -> None:
        if self.is_ready or self.reason == _NOT_PROBED:
            log.warning("Forge is not ready: %s", reason)
        self._ready.clear()
        self.reason = reason
