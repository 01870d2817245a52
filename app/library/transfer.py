"""One file from CivitAI onto our disk: continued when it breaks off, checked, whole or not there.

It decides neither what is wanted nor where it goes. All writing happens in threads.
"""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.clients.civitai_files import CivitaiFiles, FileStream
from app.errors import NavigatorError, UpstreamFailed, UpstreamUnavailable
from app.library.partial_file import DISK_FULL, PartialFile, Taken

SERVICE = "civitai"
KEPT_FREE = 0.10
_BUFFER_BYTES = 1024 * 1024
_TOLERANCE_BYTES = 1024  # CivitAI tells sizes in KB, as a fraction that may be rounded
_LOOK_BYTES = 64 * 1024 * 1024
_PAUSES_S = (1.0, 3.0, 10.0, 30.0)
_LONGEST_PAUSE_S = 120.0
_TELL_S = 1.0
_SLOW_S, _SLOW_BYTES = 300.0, 256 * 1024

Sleep = Callable[[float], Awaitable[object]]
Progress = Callable[[int, int | None], None]


class LowStorage(NavigatorError):
    """The disk is too full, or would be."""

    status = 507
    code = "LOW_STORAGE_SPACE"


class FileLies(UpstreamFailed):
    """What came is not what CivitAI said it would be."""

    code = "CIVITAI_LIES"


class FolderRefuses(NavigatorError):
    """A folder cannot be used; the message names it."""

    status = 503
    code = "FOLDER_NOT_WRITABLE"


class _OldPart(FileLies):
    """The lie may be ours: it went on from an earlier run's part."""


@dataclass(frozen=True)
class Wanted:
    """A file at `url` that is to be `target`; size in bytes and SHA-256 as CivitAI tells them.

    The size may be off by a rounding. `key` tells it from other files of the same name, so that
    nobody goes on with what somebody else began.
    """

    url: str = field(repr=False)
    target: Path
    key: str
    size_bytes: int | None = None
    sha256: str | None = None

    @property
    def partial(self) -> Path:
        """Where it is collected. Forge has no eyes for that name."""
        return self.target.with_name(f"{self.target.name}.{self.key}.part")


class Transfer:
    """Fetches files. Several may go on at the same time."""

    def __init__(
        self,
        files: CivitaiFiles,
        *,
        sleep: Sleep = asyncio.sleep,
        disk_usage: Callable[[Path], tuple[int, int, int]] = shutil.disk_usage,
    ):
        """`disk_usage` gives total, used and free bytes of the disk with a folder."""
        self._files = files
        self._sleep = sleep
        self._disk_usage = disk_usage
        self._running: list[Wanted] = []

    async def run(self, wanted: Wanted, *, progress: Progress) -> str:
        """Fetches it, from where an earlier run stopped; gives its SHA-256 in lower case.

        `progress` is told bytes that are there, and how many there will be, None for unknown.
        When it returns, the target would survive a power cut; before, there is none. Raises
        `UpstreamUnavailable` when CivitAI is away for long (what is there already is kept),
        `UpstreamFailed` for a file that is not what CivitAI said, `LowStorage`, `FolderRefuses`,
        and `Taken` when there is a target already.
        """
        with explained(wanted.target.parent):
            if await asyncio.to_thread(os.path.lexists, wanted.target):
                raise Taken(f"There is a file {wanted.target.name} already.")
            self._running.append(wanted)
            try:
                return await self._run(wanted, progress)
            except _OldPart:  # what was left of an earlier run was none of this file
                return await self._run(wanted, progress)
            finally:
                self._running.remove(wanted)

    async def _run(self, wanted: Wanted, progress: Progress) -> str:
        async with _opened(wanted.partial) as partial:
            await asyncio.to_thread(partial.read)
            began_bytes = partial.size_bytes
            try:
                await self._collect(wanted, partial, progress)
                self._check(wanted, partial)
                return await _finished(partial, wanted.target)
            except FileLies as error:
                await asyncio.to_thread(partial.remove)
                if began_bytes and not isinstance(error, _OldPart):
                    raise _OldPart(error.message, service=SERVICE) from error
                raise
            except LowStorage:
                await asyncio.to_thread(partial.remove)
                raise
            except OSError as error:
                if error.errno in DISK_FULL:
                    await asyncio.to_thread(partial.remove)
                raise

    def check_room(self, wanted: Wanted, *, before: Iterable[Wanted] = ()) -> None:
        """Raises `LowStorage` when there is no room for it, `FolderRefuses`. Blocks.

        What is still to come of those `before` it on the same disk has its room already. The
        contract's limit: a tenth of the disk must be free. What has begun has passed it.
        """
        with explained(wanted.target.parent):
            total, _, free = self._disk_usage(folder := _existing(wanted.target.parent))
            device = folder.stat().st_dev
            others = {other.partial: other for other in before if other.partial != wanted.partial}
            for other in others.values():
                if _existing(other.target.parent).stat().st_dev == device:
                    free -= _to_come(other)
            is_too_full = free < total * KEPT_FREE and not _collected(wanted)
            if is_too_full or _to_come(wanted) > free:
                raise LowStorage("Low storage space")

    @staticmethod
    def discard(wanted: Wanted) -> None:
        """Removes what was collected. Blocks."""
        with contextlib.suppress(OSError):
            wanted.partial.unlink()

    async def _collect(self, wanted: Wanted, partial: PartialFile, progress: Progress) -> None:
        failures = 0
        while True:
            before = partial.size_bytes
            try:
                await self._go_on(wanted, partial, progress)
            except UpstreamUnavailable as error:
                failures = 0 if partial.size_bytes > before else failures + 1
                if failures >= len(_PAUSES_S):
                    raise
                told_s = min(float(error.headers.get("Retry-After", 0)), _LONGEST_PAUSE_S)
                await self._sleep(max(told_s, _PAUSES_S[failures]))
            else:
                return

    async def _go_on(self, wanted: Wanted, partial: PartialFile, progress: Progress) -> None:
        before = self._running[: self._running.index(wanted)]
        await asyncio.to_thread(lambda: self.check_room(wanted, before=before))
        if wanted.sha256 is not None and partial.sha256 == wanted.sha256.lower():
            return  # only the end of it got lost
        # Without a hash nobody would notice that both ends are of different files.
        offset = 0 if wanted.sha256 is None else partial.size_bytes
        async with self._files.open(wanted.url, offset=offset) as stream:
            size_bytes = _size_bytes(wanted, stream)
            if stream.offset != partial.size_bytes:
                await asyncio.to_thread(partial.restart)
            progress(partial.size_bytes, size_bytes)
            async for data in _gathered(stream):
                if size_bytes is not None and partial.size_bytes + len(data) > size_bytes:
                    raise _lies("more than it said")
                looked, after = (
                    count // _LOOK_BYTES
                    for count in (partial.size_bytes, partial.size_bytes + len(data))
                )
                if size_bytes is None and looked != after:
                    await asyncio.to_thread(self._check_still_room, wanted.target.parent)
                await asyncio.to_thread(partial.write, data)
                progress(partial.size_bytes, size_bytes)

    def _check_still_room(self, folder: Path) -> None:
        """For a body that may have no end."""
        total, _, free = self._disk_usage(folder)
        if free < total * KEPT_FREE / 2:
            raise LowStorage("Low storage space")

    def _check(self, wanted: Wanted, partial: PartialFile) -> None:
        told = wanted.size_bytes
        if told is not None and abs(partial.size_bytes - told) > _TOLERANCE_BYTES:
            raise _lies("a file of another size than it said")
        if wanted.sha256 is not None and partial.sha256 != wanted.sha256.lower():
            raise _lies("another file than it said: the SHA-256 differs")
        if partial.size_bytes == 0:
            raise _lies("an empty file")


def _existing(folder: Path) -> Path:
    """The folder, or the one that it will be made in."""
    return folder if folder.exists() else folder.parent


def _to_come(wanted: Wanted) -> int:
    """Bytes that are still to be collected, as far as CivitAI tells."""
    collected = _collected(wanted)  # first: it may become the target meanwhile
    return 0 if wanted.target.exists() else max(0, (wanted.size_bytes or 0) - collected)


def _collected(wanted: Wanted) -> int:
    with contextlib.suppress(FileNotFoundError):
        return wanted.partial.stat().st_size
    return 0


def _size_bytes(wanted: Wanted, stream: FileStream) -> int | None:
    """How long it will be at most. Raises `UpstreamFailed` when that is not what was told."""
    told = wanted.size_bytes
    if stream.size_bytes is None:
        return None if told is None else told + _TOLERANCE_BYTES
    if told is not None and abs(stream.size_bytes - told) > _TOLERANCE_BYTES:
        raise _lies("a file of another size than it said")
    return stream.size_bytes


async def _gathered(stream: FileStream) -> AsyncIterator[bytes]:
    """The chunks in larger pieces; what came before the stream breaks is given, too."""
    gathered = bytearray()
    given_s = began_s = time.monotonic()
    lately_bytes = 0
    try:
        async for chunk in stream.chunks():
            gathered += chunk
            lately_bytes += len(chunk)
            now_s = time.monotonic()
            if len(gathered) >= _BUFFER_BYTES or now_s - given_s >= _TELL_S:
                yield bytes(gathered)
                gathered.clear()
                given_s = now_s
            if now_s - began_s >= _SLOW_S:
                if lately_bytes < _SLOW_BYTES:
                    raise UpstreamUnavailable("CivitAI sends too slowly.", service=SERVICE)
                began_s, lately_bytes = now_s, 0
    except UpstreamUnavailable:
        if gathered:
            yield bytes(gathered)
        raise
    if gathered:
        yield bytes(gathered)


async def _finished(partial: PartialFile, target: Path) -> str:
    """Makes it the target. Whoever is stopped meanwhile is so when that is done."""
    finishing = asyncio.create_task(asyncio.to_thread(partial.finish, target))
    try:
        return await asyncio.shield(finishing)
    except asyncio.CancelledError:
        await asyncio.wait([finishing])
        raise


@contextlib.asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[PartialFile]:
    """Open while the block runs; closed also when it was opened for somebody who has gone."""
    opening = asyncio.create_task(asyncio.to_thread(PartialFile.open, path))
    try:
        yield await asyncio.shield(opening)
    finally:
        await asyncio.wait([opening])
        if opening.exception() is None:
            await asyncio.to_thread(opening.result().close)


@contextlib.contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Makes sentences of what the disk says: `LowStorage`, `FolderRefuses`."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise LowStorage("Low storage space") from error
        sentence = f"The folder {folder.name} cannot be used: {error.strerror}."
        raise FolderRefuses(sentence) from error


def _lies(what: str) -> FileLies:
    return FileLies(f"CivitAI sent {what}.", service=SERVICE)
