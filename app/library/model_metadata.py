"""LoRAs and checkpoints with what CivitAI and the owner say of them: joined from memory."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeGuard

import orjson

from app.clients.forge_lists import ForgeLists
from app.events import EventBus, ModelsRefreshed
from app.library.file_metadata import JsonObject, KnownFile, MetadataStore
from app.library.metadata_lookup import MetadataLookup
from app.library.model_keys import ModelKeys
from app.tasks import running

log = logging.getLogger(__name__)

_LOOK_S = 2.0

Item = Mapping[str, Any]


class ModelMetadata:
    """What is said of the files in Forge's lists. Nothing here waits for CivitAI or the disk."""

    def __init__(
        self,
        lists: Callable[[], ForgeLists],
        store: MetadataStore,
        keys: ModelKeys,
        *,
        events: EventBus,
        make_lookup: Callable[..., MetadataLookup],
        wants_loras: bool = True,
        look_s: float = _LOOK_S,
    ):
        """`make_lookup` is `MetadataLookup` with its client; new lists are seen after `look_s`."""
        self._lists = lists
        self._store = store
        self._keys = keys
        self._events = events
        self._wants_loras = wants_loras
        self._look_s = look_s
        self._encoded: tuple[object, bytes] = (None, b"[]")
        self.lookup = make_lookup(
            store=store,
            wanted=lambda: list(self._wanted()),
            changed=lambda: events.publish(ModelsRefreshed()),
        )

    def encoded_loras(self) -> bytes:
        """The list of LoRAs for clients, as JSON; made anew only when something has changed."""
        lists = self._lists()
        state = (id(lists.loras), self._store.revision, self._keys.revision)
        if self._encoded[0] != state:
            self._encoded = (state, orjson.dumps(self.loras()))
            self._loras = lists.loras  # kept, so that its id is nobody else's
        return self._encoded[1]

    def loras(self) -> list[JsonObject]:
        """The list of LoRAs for clients [contract 3.5]; `hash` names each in other routes."""
        return [self._lora(item) for item in self._lists().loras]

    def of_checkpoint(self, item: Item) -> tuple[str, JsonObject] | None:
        """The hash of a checkpoint and CivitAI's version of it; None for nothing known."""
        key = self._keys.of_checkpoint(item)
        known = self._store.find(key) if key is not None else None
        if key is None or known is None or known.version is None:
            return None
        return key, known.version

    def version(self, file_hash: str) -> JsonObject | None:
        """CivitAI's version of the file with this hash."""
        known = self._store.find(file_hash)
        return known.version if known is not None else None

    def has_override(self, file_hash: str) -> bool:
        """Whether the owner has said something of the file with this hash."""
        return bool(self._overridden(file_hash))

    async def set_override(self, file_hash: str, override: JsonObject | None) -> None:
        """Sets what the owner says of a file, or takes it back. Everybody hears of it."""
        for name in [file_hash] if override is not None else self._overridden(file_hash):
            await self._store.change(name, override=override)
        self._told()

    async def set_updates(self, file_hash: str, **changes: Any) -> None:
        """Sets `updates_disabled` or `version_id`. A new id is looked up soon."""
        if "version_id" in changes:
            changes |= {"checked_at": None}
        await self._store.change(file_hash, **changes)
        self._told()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Computes hashes and looks things up while the block runs."""
        async with (
            self.lookup.working(),
            running(self._follow(self._read_loras)),
            running(self._follow(self._read_checkpoints)),
        ):
            yield

    def _overridden(self, file_hash: str) -> list[str]:
        """By which names the owner has said something of a file: perhaps by its alias, from
        before its hash was known."""
        loras = self._lists().loras
        aliases = (_alias(item) for item in loras if self._keys.of_lora(item) == file_hash)
        names = dict.fromkeys((file_hash, *aliases))
        found = ((name, self._store.find(name)) for name in names)
        return [name for name, known in found if known and known.override is not None]

    def _told(self) -> None:
        self.lookup.look()
        self._events.publish(ModelsRefreshed())

    async def _follow(self, read: Callable[[ForgeLists], Awaitable[None]]) -> None:
        """Sees to new lists, one after another."""
        seen = None
        while True:
            lists = self._lists()
            if lists is not seen:
                seen = lists
                self.lookup.look()
                try:
                    await read(lists)
                except Exception as error:  # the database, say: with the next list
                    log.warning("hashes of models are not known: %s", error)
            await asyncio.sleep(self._look_s)

    async def _read_loras(self, lists: ForgeLists) -> None:
        if self._wants_loras:
            await self._keys.compute(lists.loras, ())
            self.lookup.look()

    async def _read_checkpoints(self, lists: ForgeLists) -> None:
        """Beside the LoRAs, because it may take hours, and waits for jobs."""
        for item in lists.checkpoints:
            await self._keys.compute((), [item])
            self.lookup.look()

    def _wanted(self) -> Iterator[str]:
        """The hashes of all files of the lists, as far as they are known."""
        lists = self._lists()
        if self._wants_loras:
            for item in lists.loras:
                if (key := self._keys.of_lora(item)) is not None:
                    yield key
                elif (known := self._store.find(_alias(item))) and known.version_id is not None:
                    yield _alias(item)  # the owner has said what it is
        for item in lists.checkpoints:
            if (key := self._keys.of_checkpoint(item)) is not None:
                yield key

    def _lora(self, item: Item) -> JsonObject:
        name, alias = str(item.get("name", "")), _alias(item)
        key = self._keys.of_lora(item)
        by_alias = self._store.find(alias)
        known = self._store.find(key) if key is not None else by_alias
        if by_alias is not None and (known is None or known.override is None):
            known = by_alias if by_alias.override is not None else known
        told: JsonObject = {"forge": item, "alias": alias, "hash": key or alias}
        if known is not None and known.override is not None:
            override = known.override
            is_adult = bool(override.get("nsfw"))
            return told | _local(name, override, is_adult=is_adult)
        if known is not None and known.version is not None:
            told |= _from_civitai(known.version)
            if key is not None and told["civitai"]["images"]:
                told["preview"] = f"/api/models/previews/{key}"
            return told
        told |= _local(name, _stub(name), is_adult=False)
        return told | {"metadata": self._state(item, key, known)}

    def _state(self, item: Item, key: str | None, known: KnownFile | None) -> str:
        """`pending` while more may become known by itself [decision 35], else `unknown`."""
        if key is None:
            return "unknown" if self._keys.is_computed(item) else "pending"
        return "pending" if known is None or known.checked_at is None else "unknown"


def _alias(item: Item) -> str:
    return str(item.get("alias") or item.get("name", ""))


def _from_civitai(version: JsonObject) -> JsonObject:
    """Clients read these without looking, so what is of another type is left out."""
    name, model = version.get("name"), version.get("model")
    images, words = version.get("images"), version.get("trainedWords")
    shown = [image for image in images if isinstance(image, dict)] if _is_list(images) else []
    return {
        "civitai": version
        | {
            "images": shown[:1],
            "trainedWords": [str(word) for word in words] if _is_list(words) else [],
            "model": model if isinstance(model, dict) else {},
        },
        "name": name if isinstance(name, str) else "",
        "nsfw": bool(model.get("nsfw")) if isinstance(model, dict) else False,
        "provider": 1,
    }


def _is_list(told: object) -> TypeGuard[list[Any]]:
    return isinstance(told, list)


def _local(name: str, override: JsonObject, *, is_adult: bool) -> JsonObject:
    return {"localOverride": override, "name": name, "nsfw": is_adult, "provider": 0}


def _stub(name: str) -> JsonObject:
    return {
        "name": name,
        "description": "",
        "nsfw": False,
        "baseModel": "",
        "trainedWords": [],
        "images": [],
    }
