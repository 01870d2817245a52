"""Keeps a second server away from a data folder. The system frees it when its holder dies."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from app.errors import NavigatorError, SettingsInvalid

_LOCK_NAME = "navigator.lock"


class FolderTaken(NavigatorError):
    """Another process holds the data folder."""

    code = "FOLDER_TAKEN"


@contextlib.contextmanager
def only_instance(data_dir: Path) -> Iterator[None]:
    """Holds `data_dir` while the block runs; makes the folder when it is not there.

    Raises `FolderTaken` when another process holds it, `SettingsInvalid` when it cannot be used.
    """
    from app.database.lock import try_lock

    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        # Never removed: whoever removes a lock file lets two in.
        file = (data_dir / _LOCK_NAME).open("a+b")
    except OSError as error:
        raise SettingsInvalid(
            f"NAVIGATOR_DATA_DIR: the folder {data_dir} cannot be used ({error.strerror})."
        ) from error
    with contextlib.closing(file):
        if not try_lock(file):
            raise FolderTaken(
                f"Another Navigator runs with the data folder {data_dir}; stop it, or name another"
                " folder with --data-dir."
            )
        yield
