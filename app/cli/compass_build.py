"""A build of Compass while it is put together in a folder: plain files only, and not too many.

Names come from strangers; nothing that is called here can touch anything outside the folder.
"""

import os
import shutil
from collections.abc import Container
from pathlib import Path
from typing import IO

from app.errors import NavigatorError
from app.files import flush_folder

Parts = tuple[str, ...]

MAX_BYTES = 512 * 1024 * 1024
MAX_FILES = 20_000
_CHUNK_BYTES = 256 * 1024
# Separators, drives and streams of Windows; a build that is fine there is fine everywhere.
_UNSAFE = frozenset('\\:*?"<>|')


class CompassBuild:
    """The files below `folder`, each named by the parts of its path, which are all `safe`."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES):
        """`folder` exists and is empty."""
        self._folder = folder
        self._free_bytes = max_bytes
        self._free_files = max_files
        self.file_count = 0
        self.size_bytes = 0

    def add_file(self, parts: Parts, content: IO[bytes]) -> None:
        """Writes all of `content` there, instead of whatever is there.

        Raises `NavigatorError` when the build gets too large, and OSError.
        """
        path = self._made_room(parts)
        self._count_file()
        with path.open("xb") as file:
            while chunk := content.read(_CHUNK_BYTES):
                self._free_bytes -= len(chunk)
                if self._free_bytes < 0:
                    raise NavigatorError("That is too large to be Compass.")
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())

    def add_folder(self, parts: Parts) -> None:
        """Makes the folder and those above it, unless they are there. Raises as `add_file`."""
        path = self._folder
        for part in parts:
            path /= part
            if not path.is_dir():
                self._count_file()
                path.unlink(missing_ok=True)
                path.mkdir()

    def add_copy(self, parts: Parts, source: Parts) -> bool:
        """A copy of a file that is there already; says whether it is. Raises as `add_file`."""
        path = self._folder.joinpath(*source)
        if not path.is_file() or parts == source:
            return False
        with path.open("rb") as content:
            self.add_file(parts, content)
        return True

    def remove(self, parts: Parts, *, but: Container[Parts] = ()) -> None:
        """Removes the file or the folder with all in it, except for the files in `but`."""
        path = self._folder.joinpath(*parts)
        if not path.is_dir():
            if parts not in but:
                path.unlink(missing_ok=True)
            return
        for name in os.listdir(path):  # noqa: PTH208 - all names before the first one goes
            self.remove((*parts, name), but=but)
        if parts and parts not in but and not any(path.iterdir()):
            path.rmdir()

    @property
    def is_complete(self) -> bool:
        """Whether there is a page to begin with."""
        return (self._folder / "index.html").is_file()

    def finish(self) -> None:
        """Counts what there is, and makes it survive a power cut. Raises OSError."""
        for folder, _, names in os.walk(self._folder):
            sizes_bytes = [Path(folder, name).stat().st_size for name in names]
            self.file_count += len(sizes_bytes)
            self.size_bytes += sum(sizes_bytes)
            flush_folder(Path(folder))

    def _made_room(self, parts: Parts) -> Path:
        self.add_folder(parts[:-1])
        path = self._folder.joinpath(*parts)
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        return path

    def _count_file(self) -> None:
        self._free_files -= 1
        if self._free_files < 0:
            raise NavigatorError("These are too many files to be Compass.")


def is_safe(part: str) -> bool:
    """Whether this can be the name of a file or folder, and nothing else, on every system."""
    return (
        part not in {"", ".", ".."}
        and part.isprintable()
        and not _UNSAFE & set(part)
        and not part.endswith((".", " "))
    )
