"""Writes pictures and what is known of them into a ZIP, piece by piece. Blocking work for a thread.

Knows no table: rows are handed in. Holds one piece of one file at a time, and some hundred bytes
for each picture that is in already, because a ZIP ends with a list of its files.
"""

import os
import tempfile
from collections.abc import Generator, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import orjson

from app.generation.images import ImageStore
from app.generation.models import Image

LISTING = "pictures.json"
GONE = "The picture's file cannot be opened; it may have been deleted meanwhile."
DAMAGED = "The picture's file does not have the size that it should have."
UNREADABLE = "The picture's file cannot be read to its end."

_PIECE_BYTES = 512 * 1024
_LISTING_IN_MEMORY_BYTES = 1024 * 1024
_FIRST_YEAR = 1980  # of the dates in a ZIP
_RIGHTS = 0o100644 << 16  # of a regular file; else unpacking could make files nobody may read


class PictureZip:
    """A ZIP that is being written. Call `add` for each page of rows, `end` once, `close` always.

    What they generate are the pieces of the ZIP, never empty ones.
    """

    def __init__(self, images: ImageStore, categories: Mapping[int, str]):
        """`categories` are the names of the owner's, by id."""
        self._images = images
        self._categories = categories
        self._sink = _Sink()
        self._zip = ZipFile(self._sink, "w")  # type: ignore[call-overload]
        # The listing comes last, since only then it is known what could be read.
        self._listing = tempfile.SpooledTemporaryFile(_LISTING_IN_MEMORY_BYTES)  # noqa: SIM115
        self._listing_start = b"[\n"

    def add(self, images: Iterable[Image]) -> Generator[bytes, None, None]:
        """Adds pictures, each with its infotext as a text file; tells in the listing what cannot be
        read.
        """
        for image in images:
            file_name = PurePosixPath(image.file_name)  # the same on systems without upper case
            name = f"{image.created_at:%Y-%m-%d}_{file_name.name}"
            try:
                file = self._images.path(image.file_name).open("rb")
            except OSError:
                self._list(image, None, GONE)
                continue
            with file:
                if os.fstat(file.fileno()).st_size == image.size_bytes:
                    if image.infotext:
                        text_name = f"{PurePosixPath(name).stem}.txt"
                        text = _info(text_name, image.created_at, ZIP_DEFLATED)
                        self._zip.writestr(text, image.infotext)
                    info = _info(name, image.created_at, ZIP_STORED, image.size_bytes)
                    problem = yield from self._copy(file, info)
                    self._list(image, name, problem)
                else:
                    self._list(image, None, DAMAGED)

    def end(self) -> Generator[bytes, None, None]:
        """Adds the listing and ends the ZIP."""
        self._listing.write(b"\n]\n" if self._listing.tell() else b"[]\n")
        info = _info(LISTING, datetime.now(UTC), ZIP_DEFLATED, self._listing.tell())
        self._listing.seek(0)
        yield from self._copy(self._listing, info)
        self._zip.close()
        yield self._sink.taken()

    def close(self) -> None:
        """Lets everything go, also what is not complete."""
        self._listing.close()
        self._zip.close()

    def _copy(self, file: IO[bytes], info: ZipInfo) -> Generator[bytes, None, str | None]:
        """Gives what went wrong, if anything did: one bad sector does not cost all the others."""
        with self._zip.open(info, "w") as entry:
            while True:
                try:
                    piece = file.read(_PIECE_BYTES)
                except OSError:
                    return UNREADABLE
                if not piece:
                    return None
                entry.write(piece)
                if self._sink.size_bytes >= _PIECE_BYTES:
                    yield self._sink.taken()

    def _list(self, image: Image, name: str | None, problem: str | None) -> None:
        entry: dict[str, Any] = {
            "id": image.id,
            "file": name,
            "created_at": image.created_at.isoformat().replace("+00:00", "Z"),
            "width": image.width,
            "height": image.height,
            "media_type": image.media_type,
            "sha256": image.sha256,
            "category": self._categories.get(image.category_id or 0),
            "infotext": image.infotext,
            "parameters": image.parameters,
        }
        if problem is not None:
            entry["problem"] = problem
        self._listing.write(self._listing_start + orjson.dumps(entry))
        self._listing_start = b",\n"


class _Sink:
    """Where the ZIP is written to: memory that is emptied again and again, without a way back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size_bytes = 0

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        self.size_bytes += len(piece)
        return len(piece)

    def flush(self) -> None:
        """The ZIP writer wants it."""

    def taken(self) -> bytes:
        content = b"".join(self._pieces)
        self._pieces.clear()
        self.size_bytes = 0
        return content


def _info(name: str, when: datetime, compression: int, size_bytes: int = 0) -> ZipInfo:
    info = ZipInfo(name, max(when.timetuple()[:6], (_FIRST_YEAR, 1, 1, 0, 0, 0)))
    info.compress_type = compression
    info.file_size = size_bytes  # a guess for now: whether it takes the form for large files
    info.external_attr = _RIGHTS
    info.create_system = 3  # Unix, for the rights
    return info
