"""What Forge has loaded, as far as we know. Asks Forge only when a job is about to be sent."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from app.clients.forge import ForgeClient
from app.clients.forge_health import ForgeHealth
from app.clients.forge_lists import ForgeLists
from app.errors import UpstreamFailed
from app.generation.checkpoint import Loaded, loaded_in

_FRESH_S = 1.0


class LoadedCheckpoint:
    """The checkpoint and modules that one Forge has loaded."""

    def __init__(self, forge: ForgeClient, health: ForgeHealth, lists: Callable[[], ForgeLists]):
        self._forge = forge
        self._health = health
        self._lists = lists
        self._loaded: Loaded | None = None
        self._seen_s = -_FRESH_S
        self._unloaded_at: datetime | None = None
        self._may_be_ours = False

    def drew(self, loaded: Loaded) -> None:
        """Takes note that Forge has just made a picture with it."""
        self._loaded, self._seen_s, self._unloaded_at = loaded, time.monotonic(), None
        self._may_be_ours = True

    def doubt(self) -> None:
        """Takes note that something else may be loaded by now, perhaps by a run of ours."""
        self._seen_s = -_FRESH_S
        self._may_be_ours = True

    def forget(self) -> None:
        """Takes note that Forge was started anew, and has loaded nothing yet."""
        self._loaded, self._seen_s, self._unloaded_at = None, -_FRESH_S, None
        self._may_be_ours = False

    def unload(self) -> None:
        """Takes note that the GPU was freed. Forge's options do not tell: they stay as they were.

        It holds until the next picture of ours. What somebody draws in Forge's own page meanwhile
        is not noticed.
        """
        self._loaded, self._unloaded_at, self._may_be_ours = None, datetime.now(UTC), False

    @property
    def may_be_ours(self) -> bool:
        """Whether a run of ours may have loaded what is loaded; not after the GPU was freed."""
        return self._may_be_ours

    @property
    def unloaded_at(self) -> datetime | None:
        """When the GPU was freed, if no run of ours was sent since; else None."""
        return None if self._may_be_ours else self._unloaded_at

    async def differs_from(self, wanted: Loaded) -> bool:
        """Whether Forge has to load for this. Raises `UpstreamUnavailable` as the client does."""
        return await self.now() != wanted

    async def now(self) -> Loaded | None:
        """What Forge says is loaded, at most a second ago. Raises as `differs_from`."""
        if self._unloaded_at is None and time.monotonic() - self._seen_s > _FRESH_S:
            # Somebody may have loaded another one in Forge's own page. When the options cannot be
            # read (a wrong-typed one makes Forge answer 500) the last one known has to do.
            with contextlib.suppress(UpstreamFailed):
                self._loaded = await self._look()
        return self._loaded

    @property
    def last_known(self) -> Loaded | None:
        """What is loaded by the last picture or the last probe of Forge; None: nothing or unknown.

        Nobody waits for Forge.
        """
        return self.last_seen if self._health.is_ready else None

    @property
    def last_seen(self) -> Loaded | None:
        """As `last_known`, also while Forge does not answer: it may be busy rather than gone."""
        if self._unloaded_at is not None:
            return None
        options = self._health.options
        if options is None or self._seen_s > self._health.options_at_s:
            return self._loaded
        return loaded_in(options, self._lists())

    async def _look(self) -> Loaded | None:
        options, lists = await self._forge.options(), self._lists()
        sha256 = options.get("sd_checkpoint_hash")
        if sha256 and all(item.get("sha256") != sha256 for item in lists.checkpoints):
            # Forge learns a hash by loading: our lists may be from before that.
            lists = replace(lists, checkpoints=await self._forge.checkpoints())
        return loaded_in(options, lists)
