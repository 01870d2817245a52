"""Tests of `app/library/file_metadata.py`, on both databases."""

import asyncio
from datetime import UTC, datetime

import pytest

from app.library.file_metadata import KnownFile, MetadataStore
from app.library.models import FileMetadata

pytestmark = pytest.mark.usefixtures("database")

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
OVERRIDE = {"name": "Ink", "description": "", "nsfw": False, "baseModel": "SD 1.5"}


async def test_what_is_kept_is_read_at_the_next_start() -> None:
    store = MetadataStore()
    await store.keep_version("aaaabbbbcccc", {"id": 701, "name": "v1"}, NOON)
    await store.keep_version("ddddeeeeffff", None, NOON)
    await store.change("alias of mine", override=OVERRIDE)
    await store.change("aaaabbbbcccc", updates_disabled=True)
    again = MetadataStore()
    await again.load()
    for one in (store, again):
        assert one.find("aaaabbbbcccc") == KnownFile(
            701, {"id": 701, "name": "v1"}, NOON, updates_disabled=True
        )
        assert one.find("ddddeeeeffff") == KnownFile(checked_at=NOON)
        assert one.find("alias of mine") == KnownFile(override=OVERRIDE)
        assert one.find("other") is None


async def test_id_that_the_owner_set_stays_when_civitai_knows_nothing() -> None:
    store = MetadataStore()
    await store.change("aaaabbbbcccc", version_id=9)
    await store.keep_version("aaaabbbbcccc", None, NOON)
    known = store.find("aaaabbbbcccc")
    assert known is not None
    assert (known.version_id, known.version) == (9, None)


async def test_changes_at_once_are_all_kept() -> None:
    store = MetadataStore()
    await asyncio.gather(
        store.change("a", override=OVERRIDE),
        store.keep_version("a", {"id": 701}, NOON),
        store.change("a", updates_disabled=True),
    )
    again = MetadataStore()
    await again.load()
    for one in (store, again):
        assert one.find("a") == KnownFile(
            701, {"id": 701}, NOON, updates_disabled=True, override=OVERRIDE
        )


async def test_each_change_is_a_new_revision() -> None:
    store = MetadataStore()
    seen = {store.revision}
    await store.change("a", override=OVERRIDE)
    seen.add(store.revision)
    await store.keep_version("a", None, NOON)
    assert len(seen | {store.revision}) == 3
    assert await FileMetadata.all().count() == 1


async def test_override_can_be_taken_back() -> None:
    store = MetadataStore()
    await store.change("a", override=OVERRIDE)
    await store.change("a", override=None)
    again = MetadataStore()
    await again.load()
    assert again.find("a") == KnownFile()


async def test_what_the_database_does_not_take_is_known_until_the_next_start() -> None:
    store = MetadataStore()
    nested: dict[str, object] = {"id": 1}
    for _ in range(100):
        nested = {"id": 1, "inner": nested}
    await store.keep_version("a", nested, NOON)
    known = store.find("a")
    assert known is not None
    assert known.version == nested
