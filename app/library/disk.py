"""How full the disk with our pictures is, and that somebody is told before it is full."""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from app.events import DiskLow, EventBus
from app.tasks import running

log = logging.getLogger(__name__)

_LOOK_S = 60.0
_LOW = 0.10
_RECOVERED = 0.12


@dataclass(frozen=True)
class DiskUsage:
    """`free_bytes` is what we may still write."""

    free_bytes: int
    total_bytes: int

    @property
    def free_fraction(self) -> float:
        """In [0, 1]; a disk that tells no size counts as empty."""
        return self.free_bytes / self.total_bytes if self.total_bytes else 1.0


def measured(folder: Path) -> DiskUsage:
    """Of the disk that holds `folder`. Blocks; raises OSError."""
    usage = shutil.disk_usage(folder)
    return DiskUsage(usage.free, usage.total)


class DiskWatch:
    """Looks at the disk with `folder`, and publishes `DiskLow` once each time it gets low."""

    def __init__(
        self,
        events: EventBus,
        folder: Path,
        *,
        measure: Callable[[Path], DiskUsage] = measured,
        look_s: float = _LOOK_S,
    ):
        self._events = events
        self._folder = folder
        self._measure = measure
        self._look_s = look_s
        self._is_low = False
        self._fails = False
        self.last_seen: DiskUsage | None = None

    async def usage(self) -> DiskUsage:
        """As it is now. Raises OSError; a disk of another machine may keep one waiting."""
        return await asyncio.to_thread(self._measure, self._folder)

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Looks while the block runs, at once and then every minute; `last_seen` is kept."""
        async with running(self._watch()):
            yield

    async def _watch(self) -> None:
        while True:
            try:
                self.last_seen = await self.usage()
            except OSError as error:
                self.last_seen = None
                if not self._fails:
                    log.warning("the disk of the data folder cannot be looked at: %s", error)
                self._fails = True
            else:
                self._fails = False
                self._judge(self.last_seen)
            await asyncio.sleep(self._look_s)

    def _judge(self, usage: DiskUsage) -> None:
        if not self._is_low and usage.free_fraction < _LOW:
            self._is_low = True
            log.warning("the disk is nearly full: %d bytes are free", usage.free_bytes)
            self._events.publish(DiskLow(usage.free_bytes, usage.total_bytes))
        elif usage.free_fraction > _RECOVERED:
            self._is_low = False
