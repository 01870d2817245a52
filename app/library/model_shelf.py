"""Takes model files away and puts them back, in `MODEL_DIR` and its archive only. Blocks.

Who needs a file is not known here.
"""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from app.errors import Conflict, NavigatorError, NotFound
from app.files import flush_folder
from app.library.model_folder import ModelFile, ModelFolder, ModelKind

ARCHIVE = ".navigator-archive"  # in no folder that Forge looks into

_OUTSIDE = "It lies outside of MODEL_DIR."
_LINK = "It is a link, or lies in a folder that is one."
_NO_TEXT = "Its name is no text that can be sent."
_MISSING = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.ETXTBSY}


class ModelFileRefused(Conflict):
    """The system does not let this file be changed, or it is not where we may change things."""

    code = "MODEL_FILE_REFUSED"


class ModelDiskFailed(NavigatorError):
    """The disk with the models fails."""

    status = 503
    code = "MODEL_DISK_FAILED"


class ModelShelf:
    """The files of one folder of models, and those that are archived in it."""

    def __init__(self, folder: ModelFolder):
        self._models = folder

    @property
    def folder(self) -> Path:
        """`MODEL_DIR`. Raises `ModelFolderMissing`."""
        return self._models.root

    def files(self, *, archived: bool = False) -> Iterator[tuple[ModelFile, str | None]]:
        """Each file, and why it can never be changed. Raises `ModelFolderMissing`."""
        root = self.folder
        if not archived:
            for file in self._models.files():
                yield _sendable(file), _why_fixed(root, file.path)
            return
        if (archive := _archive(root)).is_dir():
            for file in ModelFolder(archive).files():
                if file.kind is not ModelKind.EMBEDDING:  # whose folder is not in here
                    yield _sendable(file), _why_fixed(archive, file.path)

    def find(self, path: str) -> ModelFile:
        """The file of this `ModelFile.path`, if it may be changed.

        Raises `InvalidInput`, `NotFound`, `ModelFileRefused`, `ModelFolderMissing`.
        """
        with _translated():
            return _find(self._models, path)

    def remove(self, path: str, *, archived: bool = False) -> None:
        """Deletes the file. Raises as `find`, and `ModelDiskFailed`."""
        with _translated():
            _locate(self._archived() if archived else self._models, path).unlink()

    def archive(self, path: str) -> None:
        """Moves the file into the archive. Raises as `remove`, `Conflict`."""
        with _translated():
            _move(_locate(self._models, path), self.folder, _archive(self.folder))

    def restore(self, path: str) -> None:
        """Moves an archived file back to where it was. Raises as `archive`."""
        with _translated():
            _move(_locate(self._archived(), path), _archive(self.folder), self.folder)

    def _archived(self) -> ModelFolder:
        archive = _archive(self.folder)
        if not archive.is_dir():
            raise _no_such_file()
        return ModelFolder(archive)


def _archive(root: Path) -> Path:
    return root / ARCHIVE


def _find(home: ModelFolder, path: str) -> ModelFile:
    """By the very path that it is listed with: others, such as in another case, are names of it
    that nobody uses."""
    relative = home.relative(_locate(home, path))
    found = next((file for file in home.files() if file.path == relative), None)
    if found is None:
        raise _no_such_file()
    return found


def _locate(home: ModelFolder, path: str) -> Path:
    found = home.locate(path)
    if (why := _why_fixed(home.root, home.relative(found))) is not None:
        raise ModelFileRefused(f"path: {why}")
    return found


def _why_fixed(root: Path, path: str) -> str | None:
    """Links are left alone, because they may lead anywhere, and a moved one leads elsewhere."""
    if PurePosixPath(path).parts[0] == "..":
        return _OUTSIDE
    if _text(path) != path:
        return _NO_TEXT
    try:
        is_link = (root / path).resolve() != _home(root) / path
    except OSError:
        is_link = True
    return _LINK if is_link else None


def _home(root: Path) -> Path:
    """Where the folder really is; only `MODEL_DIR` itself may be a link."""
    if root.name == ARCHIVE:
        return root.parent.resolve() / ARCHIVE
    return root.resolve()


def _move(found: Path, before: Path, root: Path) -> None:
    """From below one folder to below another, on one disk, so that it is done at once or not."""
    target = root / found.relative_to(before)
    # Before folders are made: a link would have them made elsewhere.
    there = next(folder for folder in target.parents if folder.exists() or folder.is_symlink())
    if there.is_relative_to(root) and there.resolve() != _home(root) / there.relative_to(root):
        raise ModelFileRefused(f"path: {_LINK}")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() or target.is_symlink():
        raise Conflict("path: there is a file of this name at the other place already.")
    try:
        found.rename(target)
    except OSError as error:
        if error.errno == errno.EXDEV:
            message = "path: the archive is on another disk; move the file yourself."
            raise ModelFileRefused(message) from error
        raise
    with contextlib.suppress(OSError):  # it is done
        flush_folder(target.parent)
        flush_folder(found.parent)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _MISSING:
            raise _no_such_file() from error
        if error.errno in _REFUSED or isinstance(error, PermissionError):
            raise ModelFileRefused(
                "path: the file cannot be changed. A program uses it, or its folder is read-only."
            ) from error
        raise ModelDiskFailed("The disk with the models fails; nothing was changed.") from error


def _sendable(file: ModelFile) -> ModelFile:
    return ModelFile(file.kind, _text(file.path), file.size_bytes, file.modified_ns)


def _text(name: str) -> str:
    """The same, readable, for a name whose bytes are no text."""
    return name.encode("utf-8", "backslashreplace").decode()


def _no_such_file() -> NotFound:
    return NotFound("path: there is no such model file.")
