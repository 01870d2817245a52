"""Asks CivitAI about files: in the background, a few at a time, and again after a week."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta

import orjson

from app.clients.civitai import CivitaiClient, JsonObject
from app.clients.civitai_http import CivitaiRefusesUs
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.library.file_metadata import KnownFile, MetadataStore
from app.tasks import running

log = logging.getLogger(__name__)

AT_ONCE = 3
LASTS = timedelta(days=7)
_FIRST_PAUSE_S = 60.0
_LONGEST_PAUSE_S = 3600.0
_LOOK_S = 3600.0
_NOT_SO_SOON = timedelta(seconds=30)
_PUT_OFF = timedelta(hours=1)
_FEW = 5
_KEPT_IMAGES = 5
_MAX_VERSION_BYTES = 500_000


class MetadataLookup:
    """Looks up what is wanted. Whoever lists files never waits for it."""

    def __init__(
        self,
        civitai: CivitaiClient,
        store: MetadataStore,
        wanted: Callable[[], Iterable[str]],
        *,
        changed: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ):
        """`wanted` gives the hashes of all files; `changed` hears when more is known of some."""
        self._civitai = civitai
        self._store = store
        self._wanted = wanted
        self._changed = changed
        self._now = now
        self._sleep = sleep
        self._wake = asyncio.Event()
        self._forced: set[str] = set()
        self._settled = asyncio.Event()
        self._pause_s = 0.0
        self._forced_at = datetime.min.replace(tzinfo=UTC)
        self._put_off: dict[str, datetime] = {}

    def look(self) -> None:
        """There may be something new to look up. Returns at once."""
        self._wake.set()

    async def refresh_all(self, *, patience_s: float) -> None:
        """Looks up everything anew; returns when that is done or has failed, or after so long.

        Who asks meanwhile waits for the same; who asks again soon gets nothing new.
        """
        if not self._forced:
            if self._now() - self._forced_at < _NOT_SO_SOON:
                return
            self._forced = {key for key in self._wanted() if self._may_ask(key)}
            if not self._forced:
                return
            self._forced_at = self._now()
            self._put_off.clear()
            self._settled.clear()
            self.look()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._settled.wait()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Looks things up while the block runs."""
        async with running(self._work()):
            yield

    def _may_ask(self, key: str) -> bool:
        known = self._store.find(key)
        return known is None or not (known.updates_disabled or known.override is not None)

    def _is_due(self, key: str) -> bool:
        now = self._now()
        if not self._may_ask(key) or now < self._put_off.get(key, now):
            return False
        known = self._store.find(key)
        is_old = known is None or known.checked_at is None or known.checked_at < now - LASTS
        return is_old or key in self._forced

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            due = list(dict.fromkeys(key for key in self._wanted() if self._is_due(key)))
            failed = await self._round(due)
            if failed:
                self._pause_s = min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
                await self._pause()
                continue
            self._pause_s = 0.0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._wake.wait()

    async def _pause(self) -> None:
        """Ends early when somebody asks for everything."""
        pausing = asyncio.ensure_future(self._sleep(self._pause_s))
        waiting = asyncio.ensure_future(self._forced_again())
        try:
            await asyncio.wait([pausing, waiting], return_when=asyncio.FIRST_COMPLETED)
        finally:
            pausing.cancel()
            waiting.cancel()

    async def _forced_again(self) -> None:
        while not self._forced:
            self._wake.clear()
            await self._wake.wait()

    async def _round(self, due: list[str]) -> bool:
        """Looks these up; gives whether CivitAI failed. Then nothing more is asked of it now."""
        failed = found = False
        nonsense = 0
        forced = set(self._forced)

        async def work() -> None:
            nonlocal failed, found, nonsense
            while due and not failed:
                key = due.pop(0)
                before = self._store.find(key)
                try:
                    version = await self._asked(key, before)
                except (UpstreamFailed, UpstreamUnavailable) as error:
                    log.info("what is known of models stays as it is: %s", error.message)
                    nonsense += 1
                    refused = isinstance(error, UpstreamUnavailable | CivitaiRefusesUs)
                    if refused or nonsense > _FEW:
                        failed = True
                        return
                    self._put_off[key] = self._now() + _PUT_OFF
                    continue
                if self._store.find(key) is not before:  # the owner has said something meanwhile
                    self.look()
                    continue
                await self._store.keep_version(key, version, self._now())
                found = found or version != (before and before.version)

        try:
            await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        finally:
            self._forced -= forced
            if not self._forced:
                self._settled.set()
        if found:
            self._changed()
        return failed

    async def _asked(self, key: str, known: KnownFile | None) -> JsonObject | None:
        """What CivitAI says; what is known already if it has forgotten."""
        if known is not None and known.version_id is not None:
            version = await self._civitai.model_version(known.version_id)
        else:
            version = await self._civitai.model_version_by_hash(key)
        if version is not None and not _is_sane(version):
            log.warning("what CivitAI says of a file is too much to be kept")
            version = None
        if version is not None:
            return _smaller(version)
        return None if known is None else known.version


def _smaller(version: JsonObject) -> JsonObject:
    """Without what nobody shows: how its pictures were made, and all but the first few of them."""
    images = version.get("images")
    if not isinstance(images, list):
        return version
    kept = [
        {name: value for name, value in image.items() if name != "meta"}
        for image in images[:_KEPT_IMAGES]
        if isinstance(image, dict)
    ]
    return version | {"images": kept}


def _is_sane(version: JsonObject) -> bool:
    try:
        return len(orjson.dumps(version)) <= _MAX_VERSION_BYTES
    except TypeError:  # too deep: it can be read, but not be written
        return False
