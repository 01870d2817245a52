"""A desk that looks things up at a fake CivitAI, with a clock that the test turns."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from app.clients.civitai import CivitaiClient
from app.library.file_metadata import MetadataStore
from app.library.metadata_lookup import MetadataLookup
from tests.app.clients.asking_civitai import Time, client
from tests.fakes.civitai import FakeCivitai
from tests.fakes.serving import Fault

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@dataclass
class Desk:
    """A lookup with a clock that the test turns. `changes` counts what it told."""

    civitai: FakeCivitai
    store: MetadataStore
    make: Callable[["Desk"], CivitaiClient]
    wanted: list[str] = field(default_factory=list)
    now: datetime = NOON
    changes: int = 0
    pauses_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lookup = MetadataLookup(
            self.make(self),
            self.store,
            lambda: self.wanted,
            changed=self.note,
            now=lambda: self.now,
            sleep=self.sleep,
        )

    def note(self) -> None:
        self.changes += 1

    async def sleep(self, pause_s: float) -> None:
        self.pauses_s.append(pause_s)
        await asyncio.sleep(0.01)

    def asked(self) -> list[str]:
        """What CivitAI was asked about, in order."""
        return [one.path.removeprefix("model-versions/") for one in self.civitai.requests]

    def version_id(self, key: str) -> Any:
        """The id of what is known."""
        known = self.store.find(key)
        return known and known.version and known.version["id"]


@dataclass
class Slow(Fault):
    """An answer that comes when the test lets it."""

    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await self.may_answer.wait()
        return await super().answer(request)


@contextlib.asynccontextmanager
async def desk_with(connections: aiohttp.ClientSession) -> AsyncIterator[Desk]:
    """A desk whose CivitAI knows 50 versions, each by a hash of its own."""
    async with FakeCivitai().serving() as civitai:
        civitai.cache_control = "no-cache"
        civitai.etags = False
        versions = [one for made in civitai.models.values() for one in made["modelVersions"]]
        for number, version in enumerate(versions):
            version["files"][0]["hashes"] = {"AutoV3": f"{number:012X}"}
        yield Desk(
            civitai,
            MetadataStore(),
            lambda _: client(connections, civitai.url, time=Time(), timeout_s=0.5),
        )
