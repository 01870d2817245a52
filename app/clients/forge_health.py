"""Whether Forge can take a job: probes it, and tells when it comes, goes, or needs a restart."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from app.clients.forge import ForgeClient
from app.clients.forge_http import ForgeBroken, JsonObject, MissingRoute
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.tasks import running

log = logging.getLogger(__name__)

# `loras` answers 404 for up to a second after `options` works [startup/timeline]; forks without
# LoRA support answer it for ever.
_LORAS_GRACE_S = 15.0
_NOT_PROBED = "Forge has not answered yet."


class ForgeHealth:
    """The state of one Forge. `reason` says why it is not ready, None when it is.

    `since` is when it became so, None before the first probe. `last_trouble` stays when it is over.
    `options` are those that the last probe read, at `options_at_s` of the monotonic clock; None
    while they are not known. `version` is that of the last picture.
    """

    def __init__(
        self,
        forge: ForgeClient,
        *,
        on_ready: Callable[[], Awaitable[None]],
        probe_interval_s: float = 10.0,
        retry_interval_s: float = 1.0,
        restart_patience_s: float = 0.0,
    ):
        """`on_ready` runs each time Forge (re)appears, before jobs are let through. When a restart
        is wanted, somebody has `restart_patience_s` for it, in which jobs are held back."""
        self._forge = forge
        self._on_ready = on_ready
        self._probe_interval_s = probe_interval_s
        self._retry_interval_s = retry_interval_s
        self._ready = asyncio.Event()
        self._probe_now = asyncio.Event()
        self._restart_patience_s = restart_patience_s
        self._held_until_s = float("-inf")
        self._options_since: float | None = None
        self._was_gone = False
        self.reason: str | None = _NOT_PROBED
        self.restart_wanted: str | None = None
        self.since: datetime | None = None
        self.last_trouble: str | None = None
        self.options: JsonObject | None = None
        self.options_at_s = 0.0
        self.version: str | None = None

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
        self._is_away(reason)
        self._probe_now.set()

    def want_restart(self, reason: str) -> None:
        """Remembers that only a restart of Forge helps, until it was gone or has drawn again."""
        self.restart_wanted = reason
        log.warning("Forge should be restarted: %s", reason)
        if self._restart_patience_s > 0:
            self._held_until_s = time.monotonic() + self._restart_patience_s
            self._is_away(f"Forge should be restarted: {reason}")

    def report_success(self, version: str | None = None) -> None:
        """Takes note that Forge has made a picture, and of the version that it named there."""
        self.restart_wanted = None
        self.version = version or self.version

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
            self.options = await self._forge.options()
        except ForgeBroken as error:
            self.options = None
            log.debug("Forge cannot tell its options: %s", error.message)
        except (UpstreamUnavailable, UpstreamFailed):
            self._options_since = None
            raise
        now = self.options_at_s = time.monotonic()
        self._options_since = self._options_since or now
        try:
            await self._forge.loras()
        except MissingRoute:
            if now - self._options_since < _LORAS_GRACE_S:
                raise
        if time.monotonic() < self._held_until_s and not self._was_gone:
            return
        if not self.is_ready:
            await self._on_ready()
            log.info("Forge is ready")
            self.reason = None
            if self._was_gone:
                self.restart_wanted = self.version = None
            self._was_gone = False
            self.since = datetime.now(UTC)
            self._ready.set()

    def _lost(self, reason: str) -> None:
        if self.is_ready or self.reason == _NOT_PROBED:
            log.warning("Forge is not ready: %s", reason)
        self._is_away(reason)

    def _is_away(self, reason: str) -> None:
        if self.is_ready or self.since is None:
            self.since = datetime.now(UTC)
        self._ready.clear()
        self.options = None
        self.reason = self.last_trouble = reason
