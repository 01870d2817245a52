"""Tests of `app/clients/registry.py`: manifests and blobs, against a registry that misbehaves."""

import contextlib
import dataclasses
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from app.clients.oci_manifest import Descriptor
from app.clients.registry import Registry
from app.clients.registry_http import registry_session
from app.errors import NotFound, UpstreamFailed, UpstreamUnavailable
from tests.images import files, image, index
from tests.strange_registry import REPOSITORY, StrangeRegistry

CONTENT = bytes(range(256)) * 4096
BLOB = image([CONTENT]).blobs[1]
IMAGE = image([files({"a": "a"}), CONTENT])


@pytest.fixture
async def session(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[aiohttp.ClientSession]:
    """The connections of the product; a proxy of this machine is not asked for loopback."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with registry_session() as opened:
        yield opened


@contextlib.asynccontextmanager
async def serving(
    strange: StrangeRegistry, session: aiohttp.ClientSession
) -> AsyncIterator[Registry]:
    """A client of a registry with `IMAGE` in it."""
    strange.push("main", IMAGE)
    strange.stored[BLOB.digest] = BLOB
    async with strange.serving():
        yield Registry(session, strange.url, REPOSITORY, retry_pause_s=0.0)


class Received:
    """What came of a blob, and what was told of it."""

    def __init__(self) -> None:
        self.file = io.BytesIO()
        self.size_bytes = 0

    def __call__(self, more_bytes: int) -> None:
        self.size_bytes += more_bytes


async def download(registry: Registry, blob: Descriptor | None = None) -> Received:
    """Downloads `BLOB`, unless told otherwise."""
    received = Received()
    wanted = blob or Descriptor.read(BLOB.descriptor)
    await registry.download(wanted, received.file, received=received)
    return received


async def test_layers_of_a_tag_a_digest_and_an_index(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry()
    listed = index([("linux/arm64", image([])), ("linux/amd64", IMAGE)])
    strange.store("all", listed)
    async with serving(strange, session) as registry:
        expected = [layer.digest for layer in IMAGE.blobs[1:]]
        for wanted in ("main", IMAGE.manifest.digest, "all", listed.digest):
            assert [layer.digest for layer in await registry.layers(wanted)] == expected
    assert "application/vnd.oci.image.index.v1+json" in strange.requests[0].headers["Accept"]


@pytest.mark.parametrize("wanted", ["gone", "sha256:" + "0a" * 32])
async def test_unknown_image_is_not_found(wanted: str, session: aiohttp.ClientSession) -> None:
    async with serving(StrangeRegistry(), session) as registry:
        with pytest.raises(NotFound, match="no such public image"):
            await registry.layers(wanted)


async def test_manifest_must_be_what_its_digest_says(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry()
    listed = index([("linux/amd64", IMAGE)])
    strange.store("all", listed)
    async with serving(strange, session) as registry:
        changed = dataclasses.replace(
            IMAGE.manifest, content=IMAGE.manifest.content.replace(b": 2,", b": 3,", 1)
        )
        strange.stored[IMAGE.manifest.digest] = changed
        for wanted in (IMAGE.manifest.digest, "all"):
            with pytest.raises(UpstreamFailed, match="not what its digest promised"):
                await registry.layers(wanted)


async def test_manifest_must_be_what_the_registry_says_it_is(
    session: aiohttp.ClientSession,
) -> None:
    strange = StrangeRegistry(digest_told="sha256:" + "0a" * 32)
    async with serving(strange, session) as registry:
        with pytest.raises(UpstreamFailed, match="not what its digest promised"):
            await registry.layers("main")


async def test_index_in_an_index_is_refused(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry()
    inner = index([("linux/amd64", IMAGE)])
    outer = index([("linux/amd64", dataclasses.replace(IMAGE, manifest=inner))])
    strange.store("inner", inner)
    strange.store("outer", outer)
    async with serving(strange, session) as registry:
        with pytest.raises(UpstreamFailed, match="a format that we do not know"):
            await registry.layers("outer")


async def test_endless_manifest_is_refused(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry()
    async with serving(strange, session) as registry:
        strange.stored["main"] = dataclasses.replace(IMAGE.manifest, content=bytes(5_000_000))
        with pytest.raises(UpstreamFailed, match="too large"):
            await registry.layers("main")


async def test_blob_comes_whole_and_is_counted(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry()
    async with serving(strange, session) as registry:
        received = await download(registry)
    assert received.file.getvalue() == CONTENT
    assert received.size_bytes == len(CONTENT)


async def test_empty_blob_is_one(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry()
    empty = image([b""]).blobs[1]
    strange.stored[empty.digest] = empty
    async with serving(strange, session) as registry:
        assert (await download(registry, Descriptor.read(empty.descriptor))).size_bytes == 0


async def test_blob_that_was_changed_is_refused(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry(spoil=lambda content: content[:-1] + b"x")
    async with serving(strange, session) as registry:
        with pytest.raises(UpstreamFailed, match="not what its digest promised"):
            await download(registry)


async def test_blob_that_is_larger_than_promised_is_not_written(
    session: aiohttp.ClientSession,
) -> None:
    strange = StrangeRegistry(spoil=lambda content: content * 3)
    received = Received()
    async with serving(strange, session) as registry:
        with pytest.raises(UpstreamFailed, match="larger than promised"):
            await registry.download(
                Descriptor.read(BLOB.descriptor), received.file, received=received
            )
    assert len(received.file.getvalue()) <= len(CONTENT)


async def test_blob_that_is_always_too_short_is_given_up(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry(spoil=lambda content: content[:-1], can_resume=False)
    async with serving(strange, session) as registry:
        with pytest.raises(UpstreamFailed, match="sent too little"):
            await download(registry)
    assert 1 < len(strange.asked("/blobs/")) < 10


async def test_transfer_goes_on_where_it_broke_off(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry(breaks=[100_000, 200_000])
    async with serving(strange, session) as registry:
        received = await download(registry)
    assert received.file.getvalue() == CONTENT
    assert received.size_bytes == len(CONTENT)
    ranges = [request.headers.get("Range") for request in strange.asked("/blobs/")]
    assert ranges[0] is None
    assert all(one is not None and one.startswith("bytes=") for one in ranges[1:])


async def test_transfer_begins_again_where_going_on_is_impossible(
    session: aiohttp.ClientSession,
) -> None:
    strange = StrangeRegistry(breaks=[100_000, 200_000], can_resume=False)
    async with serving(strange, session) as registry:
        received = await download(registry)
    assert received.file.getvalue() == CONTENT
    assert received.size_bytes == len(CONTENT)


async def test_transfer_that_always_breaks_off_is_given_up(
    session: aiohttp.ClientSession,
) -> None:
    strange = StrangeRegistry(breaks=[10] * 50)
    async with serving(strange, session) as registry:
        with pytest.raises(UpstreamFailed, match="broke the connection"):
            await download(registry)
    assert len(strange.breaks) > 40


async def test_registry_that_goes_away_meanwhile_is_unavailable(
    session: aiohttp.ClientSession,
) -> None:
    async with serving(StrangeRegistry(), session) as registry:
        pass
    with pytest.raises(UpstreamUnavailable, match="cannot be reached"):
        await download(registry)


@pytest.mark.parametrize(
    ("status", "kind", "asked"),
    [(404, NotFound, 1), (418, UpstreamFailed, 1), (429, UpstreamFailed, 1)],
)
async def test_refused_blob_is_not_asked_for_again(
    status: int, kind: type[Exception], asked: int, session: aiohttp.ClientSession
) -> None:
    strange = StrangeRegistry(status=status)
    async with serving(strange, session) as registry:
        with pytest.raises(kind):
            await download(registry)
    assert len(strange.asked("/blobs/")) == asked


async def test_bad_moment_of_the_registry_is_waited_for(session: aiohttp.ClientSession) -> None:
    strange = StrangeRegistry(status=503)
    async with serving(strange, session) as registry:
        with pytest.raises(UpstreamFailed, match="answered 503"):
            await download(registry)
    assert len(strange.asked("/blobs/")) == 5


@pytest.mark.posix
async def test_file_that_takes_no_more_is_no_fault_of_the_registry(
    session: aiohttp.ClientSession,
) -> None:
    async with serving(StrangeRegistry(), session) as registry:
        with (
            Path("/dev/full").open("wb", buffering=0) as full,
            pytest.raises(OSError, match="space"),
        ):
            await registry.download(Descriptor.read(BLOB.descriptor), full, received=lambda _: None)
