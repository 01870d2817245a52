"""When our jobs used each model last. The only writer of that table."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from app.clients.forge_lists import ForgeLists
from app.database.connection import is_unavailable
from app.events import Event, EventBus, JobFinished, JobStarted
from app.library.model_folder import ModelKind
from app.library.model_names import Name, listed, used_by
from app.library.models import NAME_CHARS, ModelUse
from app.tasks import running

_PAUSE_S = 60.0


class ModelUses:
    """Hears of jobs, and writes at most once in `pause_s`; also later, if the database is away."""

    def __init__(
        self, events: EventBus, lists: Callable[[], ForgeLists], *, pause_s: float = _PAUSE_S
    ):
        self._events = events
        self._lists = lists
        self._pause_s = pause_s
        self._unwritten: dict[Name, datetime] = {}
        self._heard = asyncio.Event()

    async def last(self) -> dict[Name, datetime]:
        """When each model was used last, by its name at Forge."""
        known = {kind.value: kind for kind in ModelKind}
        rows = await ModelUse.filter(kind__in=list(known))
        return {(known[row.kind], row.name): row.last_used_at for row in rows} | self._unwritten

    @contextlib.asynccontextmanager
    async def noted(self) -> AsyncIterator[None]:
        """Takes note of jobs while the block runs."""
        async with self._events.subscribed() as heard:
            async with running(self._listen(heard)), running(self._write_now_and_then()):
                yield
            while not heard.empty():
                self._note(heard.get_nowait())
        await self._write()

    async def _listen(self, heard: asyncio.Queue[Event]) -> None:
        while True:
            self._note(await heard.get())

    def _note(self, event: Event) -> None:
        """Only what Forge lists: a prompt may name anything."""
        if not isinstance(event, JobStarted | JobFinished):
            return
        lists, now = self._lists(), datetime.now(UTC)
        for name in used_by(event.job.parameters, lists) & listed(lists):
            if len(name[1]) <= NAME_CHARS:
                self._unwritten[name] = now
                self._heard.set()

    async def _write_now_and_then(self) -> None:
        while True:
            await self._heard.wait()
            self._heard.clear()
            await self._write()
            await asyncio.sleep(self._pause_s)

    async def _write(self) -> None:
        try:
            for (kind, name), at in list(self._unwritten.items()):
                await ModelUse.update_or_create({"last_used_at": at}, kind=kind.value, name=name)
                if self._unwritten.get((kind, name)) == at:
                    del self._unwritten[kind, name]
        except Exception as error:
            if not is_unavailable(error):
                raise
            self._heard.set()
