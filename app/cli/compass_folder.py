"""Replaces the folder of Compass as a whole. Knows nothing of where the new one comes from.

Whatever happens, a crash included, the old folder or the new one is there in the end.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from app.database.lock import try_lock
from app.errors import NavigatorError
from app.files import flush_folder

# What a folder that Compass is built *from* has; one that it was built *to* has none of them.
_SOURCES = (".git", "package.json", "node_modules")


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A work folder with an empty `new` in it, which takes the place of `folder` at the end.

    Not if the block raises: then `folder` stays as it is. The work folder, beside `folder`, goes
    in any case, and so does one that a crash left behind. Raises `NavigatorError` when `folder`
    holds something else, when another process is replacing it, or when something cannot be
    written, also in the block.
    """
    folder = folder.resolve()
    if not folder.name:
        raise NavigatorError(f"{folder} cannot be Compass's folder; name another in COMPASS_DIR.")
    with _stored_in(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            work = folder.with_name(f".{folder.name}.installing")
            old, new = work / "old", work / "new"
            _recover(folder, old)
            _refuse_something_else(folder)
            if work.exists():
                shutil.rmtree(work)
            try:
                new.mkdir(parents=True)
                yield work
                _swap(folder, new=new, old=old)
            finally:
                _recover(folder, old)
                shutil.rmtree(work, ignore_errors=True)


def is_build(folder: Path) -> bool:
    """Whether it can be what Compass was built to: never its sources, nor something else."""
    return (folder / "index.html").is_file() and not is_source(folder)


def is_source(folder: Path) -> bool:
    """Whether it is what Compass, or something else, is built from."""
    return any((folder / name).exists() for name in _SOURCES)


def _refuse_something_else(folder: Path) -> None:
    """It will be removed, and a slip in COMPASS_DIR could name anything."""
    if folder.exists() and not (
        folder.is_dir() and (is_build(folder) or not any(folder.iterdir()))
    ):
        raise NavigatorError(
            f"{folder} holds something else than a build of Compass; empty it, or name another"
            " folder in COMPASS_DIR."
        )


def _swap(folder: Path, *, new: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    flush_folder(folder.parent)


def _recover(folder: Path, old: Path) -> None:
    """Puts the old folder back if the new one did not take its place."""
    if old.exists() and not folder.exists():
        old.rename(folder)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    # Never removed: whoever removes a lock file lets two in.
    with folder.with_name(f"{folder.name}.lock").open("a+b") as file:
        if not try_lock(file):
            raise NavigatorError(f"Something else is installing Compass in {folder} right now.")
        yield


@contextlib.contextmanager
def _stored_in(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        at = f": {error.filename}" if error.filename else ""
        raise NavigatorError(f"Compass cannot be stored in {folder} ({reason}{at}).") from error
