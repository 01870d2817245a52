"""What people may look up at CivitAI through us, and whether downloads work. It keeps nothing.

The key that CivitAI is asked with is the owner's: what it tells of the owner's account is nobody
else's business.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.clients.civitai import CivitaiClient, checked_path
from app.errors import InvalidInput, NotFound
from app.library.model_folder import ModelFolder, ModelFolderMissing

NO_KEY = "CivitAI authentication failed"
# Compass takes exactly this from the beginning of `nextPage`, and asks us for the rest.
_ADDRESS_FOR_CLIENTS = "https://civitai.com/api/v1/"
# Added to `nextPage`: which address it came from, since another one would not know the place.
_ADDRESS_INDEX = "navigator_address"
_RESOURCES = frozenset({"models", "model-versions", "images", "creators", "tags"})
_OF_THE_OWNER = frozenset({"hidden", "favorites"})
_MAX_SENTENCE_CHARS = 300


@dataclass(frozen=True)
class Found:
    """An object or a list; `read_at` tells when it was read if CivitAI does not answer now."""

    json: Any = field(repr=False)
    read_at: datetime | None = None


class ModelBrowser:
    """CivitAI's catalogue, for people."""

    def __init__(self, civitai: CivitaiClient, folder: ModelFolder):
        self._civitai = civitai
        self._folder = folder

    async def is_authenticated(self) -> bool:
        """Whether CivitAI takes the owner's key; False also while it cannot be asked."""
        return await self._civitai.is_authenticated()

    async def why_no_downloads(self) -> str | None:
        """What is missing for downloads, a sentence; None for nothing."""
        try:
            await asyncio.to_thread(lambda: self._folder.root)
        except ModelFolderMissing as error:
            return error.message
        if await self.is_authenticated():
            return None
        return self._civitai.trouble or NO_KEY

    async def look_up(self, path: str, query: Iterable[tuple[str, str]]) -> Found:
        """What CivitAI answers to `path` below its API, such as `models/3`.

        Raises `InvalidInput` and `NotFound`, with CivitAI's words if it has any, and what
        `CivitaiClient` raises when it does not answer.
        """
        checked_path(path)
        if path.split("/", maxsplit=1)[0] not in _RESOURCES:
            raise NotFound("There is no such list of CivitAI's here.", code="NOT_AT_CIVITAI")
        pairs = list(query)
        first = self._address_index(pairs)
        answer = await self._civitai.get(
            path, [(key, value) for key, value in pairs if key != _ADDRESS_INDEX], first=first
        )
        if answer.status == 404:
            sentence = _sentence(answer.json) or "CivitAI does not have that."
            raise NotFound(sentence, code="NOT_AT_CIVITAI")
        if answer.status == 400:
            raise InvalidInput(_sentence(answer.json) or "CivitAI does not understand that.")
        self._turn_next_page(answer.json, answer.base)
        return Found(answer.json, answer.read_at if answer.is_stale else None)

    def _address_index(self, pairs: list[tuple[str, str]]) -> int:
        for key, value in pairs:
            if key in _OF_THE_OWNER:
                raise InvalidInput(f"{key} cannot be asked for: it is about the owner's account.")
            if key == _ADDRESS_INDEX and value.isdecimal() and len(value) < 4:
                return min(int(value), len(self._civitai.api_bases) - 1)
        return 0

    def _turn_next_page(self, found: Any, base: str) -> None:
        """Writes `nextPage` as clients know it, whichever address it names."""
        metadata = found.get("metadata") if isinstance(found, dict) else None
        if not isinstance(metadata, dict) or not isinstance(metadata.get("nextPage"), str):
            return
        page = metadata["nextPage"]
        known = (*self._civitai.api_bases, _ADDRESS_FOR_CLIENTS.rstrip("/"))
        rest = next((page[len(one) + 1 :] for one in known if page.startswith(f"{one}/")), None)
        if rest is None:
            return
        index = self._civitai.api_bases.index(base)
        if index > 0:
            rest += f"{'&' if '?' in rest else '?'}{_ADDRESS_INDEX}={index}"
        metadata["nextPage"] = _ADDRESS_FOR_CLIENTS + rest


def _sentence(answered: Any) -> str | None:
    """What CivitAI says of an error, if it is a text that can be shown."""
    for key in ("error", "message"):
        told = answered.get(key) if isinstance(answered, dict) else None
        if isinstance(told, str) and told.strip():
            return told.strip()[:_MAX_SENTENCE_CHARS]
    return None
