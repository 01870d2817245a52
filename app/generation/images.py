"""Finished pictures: files on disk, written so that a crash leaves a whole one or none."""

import asyncio
import hashlib
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.errors import NavigatorError, UpstreamFailed
from app.files import PARTIAL_SUFFIX, write_flushed

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class DiskFailed(NavigatorError):
    """A picture could not be written. The job fails with this reason; others go on."""

    status = 507
    code = "DISK_FAILED"


@dataclass(frozen=True)
class StoredImage:
    """A picture that is safely on disk. `file_name` is relative to the folder, with `/`."""

    file_name: str
    media_type: str
    size_bytes: int
    sha256: str
    width: int
    height: int


class ImageStore:
    """The folder of pictures. `<first two characters of a hash>/<job id>.<suffix>`."""

    def __init__(self, folder: Path):
        self._folder = folder

    def prepare(self) -> None:
        """Makes the folder and removes what a crash left half-written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for partial in self._folder.glob(f"*/*{PARTIAL_SUFFIX}"):
            partial.unlink(missing_ok=True)

    def path(self, file_name: str) -> Path:
        """Where a stored picture lies."""
        return self._folder / file_name

    async def save(self, job_id: str, content: bytes) -> StoredImage:
        """Writes `content` byte for byte and returns when it is flushed.

        Saving again replaces the file. Raises `UpstreamFailed` when it is no picture, `DiskFailed`
        when it cannot be written.
        """
        return await asyncio.to_thread(self._save, job_id, content)

    async def remove(self, job_id: str) -> None:
        """Removes the job's picture, whatever it is, if there is one. Raises OSError."""
        for suffix in _SUFFIXES.values():
            path = self.path(f"{_stem(job_id)}.{suffix}")
            await asyncio.to_thread(path.unlink, missing_ok=True)

    def _save(self, job_id: str, content: bytes) -> StoredImage:
        media_type, width, height = described(content)
        file_name = f"{_stem(job_id)}.{_SUFFIXES[media_type]}"
        try:
            write_flushed(self.path(file_name), content)
        except OSError as error:
            raise DiskFailed(f"The picture could not be saved: {error.strerror}.") from error
        return StoredImage(
            file_name=file_name,
            media_type=media_type,
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            width=width,
            height=height,
        )


def _stem(job_id: str) -> str:
    """Folder and name of a job's picture."""
    digest = hashlib.sha256(job_id.encode()).hexdigest()
    # Some file systems take "a" and "A" for the same name; ids do not.
    name = job_id if job_id == job_id.lower() else f"{job_id.lower()}~{digest[:12]}"
    return f"{digest[:2]}/{name}"


def described(content: bytes) -> tuple[str, int, int]:
    """Media type, width and height of a whole PNG, JPEG or WebP.

    Raises `UpstreamFailed` when it is none.
    """
    if content.startswith(_PNG_SIGNATURE):
        return "image/png", *_png_size(content)
    from PIL import Image as Pillow  # noqa: PLC0415 - heavy, and Forge nearly always sends PNG

    try:
        with Pillow.open(io.BytesIO(content), formats=("JPEG", "WEBP")) as picture:
            picture.load()
            return f"image/{str(picture.format).lower()}", *picture.size
    except (OSError, SyntaxError, ValueError) as error:
        raise _no_picture() from error


def _png_size(content: bytes) -> tuple[int, int]:
    """Walks over the chunks, so that a picture that breaks off is noticed without decoding it."""
    chunks = list(_png_chunks(content))
    if not chunks or chunks[0][0] != b"IHDR" or chunks[-1][0] != b"IEND":
        raise _no_picture()
    width, height = struct.unpack_from(">II", content, chunks[0][1])
    return width, height


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Name and offset of the data of each chunk that is there in whole."""
    offset = len(_PNG_SIGNATURE)
    while offset + 12 <= len(content):
        length, name = struct.unpack_from(">I4s", content, offset)
        if offset + 12 + length > len(content):
            return
        yield name, offset + 8
        offset += 12 + length


def _no_picture() -> UpstreamFailed:
    return UpstreamFailed("Forge sent something that is no whole picture.", service="forge")
