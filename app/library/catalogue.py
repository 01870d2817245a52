"""Forge's lists, kept so that nobody waits for Forge and nobody hammers it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from app.clients.forge import ForgeClient
from app.clients.forge_http import MissingRoute
from app.clients.forge_lists import ForgeLists
from app.clients.json_depth import is_too_deep
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.events import EventBus, ModelsRefreshed
from app.library.known_checkpoints import KnownCheckpoints
from app.library.list_file import ListFile
from app.tasks import cancel, running

log = logging.getLogger(__name__)

_EXPIRY_S = 300.0
_RESCAN_PAUSE_S = 5.0
_RESCAN_PATIENCE_S = 10.0
# What Navigator and its clients have no use for; of a few hundred LoRAs it is many megabytes.
_LARGE_METADATA = ("ss_tag_frequency", "ss_bucket_info", "ss_datasets", "ss_dataset_dirs")

T = TypeVar("T")


class Catalogue:
    """The last known lists of one Forge, also those from before the last start."""

    def __init__(
        self,
        forge: ForgeClient,
        events: EventBus,
        file: ListFile | None = None,
        *,
        known_checkpoints: KnownCheckpoints | None = None,
        expiry_s: float = _EXPIRY_S,
        rescan_pause_s: float = _RESCAN_PAUSE_S,
        rescan_patience_s: float = _RESCAN_PATIENCE_S,
    ):
        """All lists are read anew after `expiry_s`. Forge looks for files once in `rescan_pause_s`;
        who asks for it waits `rescan_patience_s` at most."""
        self._forge = forge
        self._events = events
        self._file = file
        self._known_checkpoints = known_checkpoints or KnownCheckpoints()
        self._expiry_s = expiry_s
        self._lists: ForgeLists | None = None
        self._tried_s = time.monotonic()
        self._lock = asyncio.Lock()
        self._rescan_pause_s = rescan_pause_s
        self._rescan_patience_s = rescan_patience_s
        self._rescan: asyncio.Task[None] | None = None
        self._rescanned_s = self._rescan_began_s = -rescan_pause_s
        self.read_at: datetime | None = None
        self.is_stale = True

    def load(self) -> None:
        """Takes the lists from before the start, if there are any, until Forge answers."""
        if self._file is not None and (found := self._file.load()) is not None:
            self._lists, self.read_at = found

    @property
    def lists(self) -> ForgeLists:
        """The last known lists; all empty while none are known."""
        return self._lists or ForgeLists()

    def known(self) -> ForgeLists:
        """The last known lists. Raises `UpstreamUnavailable` while none are known."""
        if self._lists is None:
            raise UpstreamUnavailable(
                "Forge has not answered yet, so its lists are not known.",
                service="forge",
                code="FORGE_UNAVAILABLE",
            )
        return self._lists

    async def refresh(self) -> None:
        """Reads all lists anew, at once. Raises what `ForgeClient` raises; keeps the old ones then.

        A list that Forge has no route for is empty.
        """
        async with self._lock:
            try:
                self._lists = await self._read()
            except (UpstreamFailed, UpstreamUnavailable):
                self.is_stale = True
                raise
            finally:
                self._tried_s = time.monotonic()
            self.read_at, self.is_stale = datetime.now(UTC), False
            if self._file is not None:
                await self._file.save(self._lists, self.read_at)

    async def rescan(self) -> None:
        """Makes Forge look for files anew, reads all lists, and tells everybody.

        Who asks meanwhile waits for the same, who asks just afterwards gets nothing new. While
        Forge draws it may take long: then it goes on behind. Raises what `ForgeClient` raises.
        """
        if self._rescan is None or self._rescan.done():
            if time.monotonic() - self._rescanned_s < self._rescan_pause_s:
                return
            self._rescan = asyncio.create_task(self._rescan_and_tell())
            self._rescan.add_done_callback(_noted)
        await asyncio.wait([self._rescan], timeout=self._rescan_patience_s)
        if self._rescan.done():
            self._rescan.result()

    async def rescan_after_change(self) -> None:
        """The same for who has just changed files: Forge has looked after that when it returns.

        While Forge draws it takes long. Raises as `rescan`.
        """
        changed_s = time.monotonic()
        while self._rescan_began_s < changed_s:
            if self._rescan is None or self._rescan.done():
                left_s = self._rescanned_s + self._rescan_pause_s - time.monotonic()
                await asyncio.sleep(max(0.0, left_s))
            await self.rescan()
        if self._rescan is not None:
            await asyncio.wait([self._rescan])
            self._rescan.result()

    @contextlib.asynccontextmanager
    async def kept_fresh(self) -> AsyncIterator[None]:
        """Reads the lists anew when they have expired, while the block runs."""
        async with running(self._refresh_on_expiry()):
            yield

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Nothing that was begun behind goes on once the block has ended."""
        try:
            yield
        finally:
            if self._rescan is not None:
                await cancel(self._rescan)

    async def _rescan_and_tell(self) -> None:
        self._rescan_began_s = time.monotonic()
        try:
            await self._forge.rescan()
        except (UpstreamFailed, UpstreamUnavailable) as error:
            log.warning("Forge did not look for new files: %s", error.message)
            self.is_stale = True
            raise
        finally:
            self._rescanned_s = time.monotonic()
        await self.refresh()
        self._events.publish(ModelsRefreshed())

    async def _read(self) -> ForgeLists:
        before = self.lists
        checkpoints, samplers, modules = await asyncio.gather(
            self._forge.checkpoints(),
            self._forge.samplers(),
            _read(self._forge.modules, before.modules),
        )
        schedulers, upscalers, loras = await asyncio.gather(
            _read(self._forge.schedulers, before.schedulers),
            _read(self._forge.upscalers, before.upscalers),
            _read(self._forge.loras, before.loras),
        )
        return ForgeLists(
            checkpoints,
            modules or [],
            samplers,
            schedulers or [],
            upscalers or [],
            [_without_large_metadata(lora) for lora in loras or []],
            await _read(self._forge.embeddings, before.embeddings) or [],
            await self._known_checkpoints.friendly_names(),
            has_modules=modules is not None,
        )

    async def _refresh_on_expiry(self) -> None:
        while True:
            age_s = time.monotonic() - self._tried_s
            await asyncio.sleep(max(1.0, self._expiry_s - age_s))
            if time.monotonic() - self._tried_s >= self._expiry_s:
                try:
                    await self.refresh()
                except (UpstreamFailed, UpstreamUnavailable) as error:
                    log.info("lists stay as they are: %s", error.message)

    async def renamed(self) -> ForgeLists:
        """The known lists with the owner's names of now. Raises as `known`."""
        names = await self._known_checkpoints.friendly_names()
        lists = self.known()
        if names != lists.friendly_names:
            self._lists = lists = replace(lists, friendly_names=names)
        return lists


def _noted(rescan: asyncio.Task[None]) -> None:
    """Takes note of how it ended: who asked may have gone on long before."""
    if rescan.cancelled() or (error := rescan.exception()) is None:
        return
    if not isinstance(error, UpstreamFailed | UpstreamUnavailable):
        log.error("looking for new files failed", exc_info=error)


def _without_large_metadata(lora: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = lora.get("metadata")
    if not isinstance(metadata, dict):
        return lora
    kept = {
        name: value
        for name, value in metadata.items()
        # The maker of a file decides what stands in it, perhaps something that nobody can write.
        if name not in _LARGE_METADATA and not is_too_deep(value)
    }
    return {**lora, "metadata": kept}


async def _read(
    fetch: Callable[[], Awaitable[Sequence[T]]], before: Sequence[T]
) -> Sequence[T] | None:
    """The list; None when Forge has no route for it; the one of before when it fails.

    Jobs can be drawn without it, so one broken list must not keep everything else away.
    """
    try:
        return await fetch()
    except MissingRoute:
        return None
    except UpstreamFailed as error:
        log.warning("one of Forge's lists stays as it is: %s", error.message)
        return before
