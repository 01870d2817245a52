"""The file that keeps Forge's lists over a restart of ours, while Forge may be away."""

import asyncio
import logging
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import orjson

from app.clients.forge_lists import ForgeLists
from app.files import write_flushed

log = logging.getLogger(__name__)

_LISTS = ("checkpoints", "modules", "samplers", "schedulers", "upscalers", "loras", "embeddings")


class ListFile:
    """One JSON file. It can be lost without harm."""

    def __init__(self, path: Path):
        self._path = path

    def load(self) -> tuple[ForgeLists, datetime] | None:
        """The lists and when they were read; None when there are none that can be used."""
        try:
            found = orjson.loads(self._path.read_bytes())
            lists = found["lists"]
            if not all(isinstance(lists[name], list) for name in _LISTS):
                raise TypeError("a list is none")
            return ForgeLists(**lists), datetime.fromisoformat(found["read_at"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("the lists of the last time cannot be read: %s", error)
            return None

    async def save(self, lists: ForgeLists, read_at: datetime) -> None:
        """Replaces the file. A disk that is full is only logged."""
        try:
            await asyncio.to_thread(self._save, lists, read_at)
        except OSError as error:
            log.warning("the lists cannot be kept: %s", error.strerror)

    def _save(self, lists: ForgeLists, read_at: datetime) -> None:
        content = {"read_at": read_at.isoformat(), "lists": asdict(lists)}
        write_flushed(self._path, orjson.dumps(content))
