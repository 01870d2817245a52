"""Files that are there after a power cut. Knows nothing of what stands in them."""

import contextlib
import errno
import os
from pathlib import Path

PARTIAL_SUFFIX = ".partial"
_NO_SUCH_CALL = {errno.EINVAL, errno.ENOTSUP}


def write_flushed(path: Path, content: bytes, *, private: bool = False) -> None:
    """Replaces `path` by a file of `content`, and returns when that would survive a power cut.

    Whatever happens, the old file or the whole new one is there. Makes the folder if it is
    missing. `private` keeps other users from reading the file. Raises OSError.
    """
    with contextlib.suppress(FileExistsError):
        path.parent.mkdir(parents=True)
        flush_folder(path.parent.parent)  # or the new folder itself may be gone after a power cut
    partial = path.with_name(path.name + PARTIAL_SUFFIX)
    try:
        if private:
            # A file that a crash left behind would keep its rights.
            partial.unlink(missing_ok=True)
            partial.touch(mode=0o600)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Makes a rename in `folder` durable. Windows has no such call and does it by itself."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SUCH_CALL:  # as some file systems of networks and containers say
            raise
    finally:
        os.close(descriptor)
