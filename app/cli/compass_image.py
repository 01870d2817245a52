"""Takes Compass out of the layers of a container image.

Only plain files and folders below `/srv/compass` come out; of links, those to a file that came out
become copies. Everything else is left out, whatever it is named or points to. Source of the
format: OCI image specification 1.1, `layer.md`.
"""

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

from app.cli.compass_build import CompassBuild, Parts, is_safe
from app.errors import NavigatorError

ROOT: Parts = ("srv", "compass")
MAX_UNPACKED_BYTES = 8 * 1024 * 1024 * 1024  # of the whole image, its system included
_MAX_ENTRIES = 500_000
_BUFFER_BYTES = 256 * 1024
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_HIDES = ".wh."
_HIDES_ALL = ".wh..wh..opq"
_OTHER_MARK = ".wh..wh."  # of the file system that whiteouts come from; hides nothing


def unpack(
    layers: Iterable[Path], build: CompassBuild, *, max_unpacked_bytes: int = MAX_UNPACKED_BYTES
) -> int:
    """Adds what the layers (lowest first) have for Compass; gives how many files were left out.

    Raises `NavigatorError` for a broken layer and one too large, and OSError.
    """
    counts = _Counts(max_unpacked_bytes)
    for layer in layers:
        with _broken_archives(), _opened(layer, counts) as archive:
            _Layer(build, counts).apply(archive)
    return counts.left_out


class _Counts:
    """What is shared by the layers of one image."""

    def __init__(self, max_unpacked_bytes: int):
        self.left_out = 0
        self._free_bytes = max_unpacked_bytes
        self._free_entries = _MAX_ENTRIES

    def read(self, size_bytes: int) -> None:
        self._free_bytes -= size_bytes
        if self._free_bytes < 0:
            raise NavigatorError("The image is too large to be one of Compass.")

    def entry(self) -> None:
        self._free_entries -= 1
        if self._free_entries < 0:
            raise NavigatorError("The image has too many files to be one of Compass.")


class _Layer:
    """One layer on top of those that are in `build` already."""

    def __init__(self, build: CompassBuild, counts: _Counts):
        self._build = build
        self._counts = counts
        # What this very layer brought. Its whiteouts hide older things only, wherever they stand.
        self._fresh: set[Parts] = set()

    def apply(self, archive: tarfile.TarFile) -> None:
        for member in archive:
            self._counts.entry()
            path = _parts(member.name)
            if path is None:
                self._counts.left_out += 1
            elif path and path[-1].startswith(_HIDES):
                self._hide(path)
            elif path[: len(ROOT)] == ROOT:
                self._add(archive, member, path[len(ROOT) :])
            elif ROOT[: len(path)] == path and not member.isdir():
                self._build.remove(())  # a file or a link where a folder above ours was

    def _hide(self, path: Parts) -> None:
        folder, name = path[:-1], path[-1]
        if name == _HIDES_ALL:
            hidden = folder
        elif name.startswith(_OTHER_MARK):
            return
        else:
            hidden = (*folder, name.removeprefix(_HIDES))
        if ROOT[: len(hidden)] == hidden:
            self._build.remove((), but=self._fresh)
        elif hidden[: len(ROOT)] == ROOT and all(is_safe(part) for part in hidden):
            # Not safe is `..`, for instance, hidden by `.wh...`.
            self._build.remove(hidden[len(ROOT) :], but=self._fresh)

    def _add(self, archive: tarfile.TarFile, member: tarfile.TarInfo, parts: Parts) -> None:
        if not all(is_safe(part) for part in parts):
            self._counts.left_out += 1
            return
        if member.isdir():
            self._build.add_folder(parts)
        elif not parts:
            self._build.remove(())
        elif member.isfile() and (content := archive.extractfile(member)) is not None:
            self._build.add_file(parts, content)
        elif not (member.islnk() and self._add_linked(parts, member.linkname)):
            self._counts.left_out += 1
            self._build.remove(parts)
            return
        self._fresh.update(parts[:length] for length in range(1, len(parts) + 1))

    def _add_linked(self, parts: Parts, target: str) -> bool:
        source = _parts(target)
        if source is None or source[: len(ROOT)] != ROOT:
            return False
        below = source[len(ROOT) :]
        return all(is_safe(part) for part in below) and self._build.add_copy(parts, below)


def _parts(name: str) -> Parts | None:
    """The path in the image; None when it goes up, which no honest one does."""
    parts = tuple(part for part in name.split("/") if part not in {"", "."})
    return None if ".." in parts else parts


@contextmanager
def _opened(layer: Path, counts: _Counts) -> Iterator[tarfile.TarFile]:
    with ExitStack() as stack:
        file = stack.enter_context(layer.open("rb"))
        begin = file.peek(len(_ZSTD))
        content: IO[bytes] = file
        # By what it is: media types of layers are not always right.
        if begin.startswith(_GZIP):
            content = cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=file)))
        elif begin.startswith(_ZSTD):
            raise NavigatorError("The image is packed with zstd, which we cannot unpack.")
        counted = _Counted(content, counts)
        yield stack.enter_context(
            tarfile.open(fileobj=counted, mode="r|", bufsize=_BUFFER_BYTES, encoding="utf-8")
        )


class _Counted(io.RawIOBase):
    """Passes on what is read, and ends it when it is too much."""

    def __init__(self, content: IO[bytes], counts: _Counts):
        self._content = content
        self._counts = counts

    def read(self, size: int = -1) -> bytes:
        chunk = self._content.read(size)
        self._counts.read(len(chunk))
        return chunk


@contextmanager
def _broken_archives() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise NavigatorError("A layer of the image cannot be unpacked.") from error
