"""A client of the fake CivitAI, with a clock that the test turns and pauses that it notes."""

from dataclasses import dataclass, field
from typing import Any

import aiohttp

from app.clients.civitai import CivitaiClient
from tests.fakes.civitai import API_KEY


@dataclass
class Time:
    """Seconds that pass only when somebody says so; `pauses_s` are those that were asked for."""

    now_s: float = 1000.0
    pauses_s: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, pause_s: float) -> None:
        """Notes the pause and does not wait."""
        self.pauses_s.append(pause_s)


def client(
    connections: aiohttp.ClientSession, *bases: str, time: Time | None = None, **changes: Any
) -> CivitaiClient:
    """A client with the key that the fake knows."""
    time = time or Time()
    options: dict[str, Any] = {"api_key": API_KEY, "clock": time, "sleep": time.sleep}
    return CivitaiClient(connections, api_bases=bases, **options | changes)
