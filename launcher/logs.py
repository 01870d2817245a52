"""The launcher's own log, and what a person sees on the terminal: one prefix for each service."""

import contextlib
import logging
import logging.handlers
import sys
from collections.abc import Sequence
from pathlib import Path

from launcher.instance import FolderRefused
from launcher.masking import without_secrets

_MAX_FILE_BYTES = 5_000_000
_KEPT_FILES = 5
_OWN = "launcher"


class _Masked(logging.Formatter):
    def __init__(self, form: str, secrets: Sequence[str]):
        super().__init__(form, "%Y-%m-%d %H:%M:%S")
        self.secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record), self.secrets)


def configure(folder: Path, *, secrets: Sequence[str] = ()) -> None:
    """Logs to stderr and to `<folder>/launcher.log`, rotating. Raises `FolderRefused`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderRefused(f"The folder {folder} cannot be used ({error.strerror}).") from error
    file = logging.handlers.RotatingFileHandler(
        folder / f"{_OWN}.log",
        maxBytes=_MAX_FILE_BYTES,
        backupCount=_KEPT_FILES,
        encoding="utf-8",
        delay=True,
    )
    file.setFormatter(_Masked("%(asctime)s %(levelname)-7s %(message)s", secrets))
    screen = logging.StreamHandler(sys.stderr)
    screen.setFormatter(_Masked(f"[{_OWN}] %(message)s", secrets))
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(file)
    root.addHandler(screen)
    root.setLevel(logging.INFO)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    logging.raiseExceptions = False  # a full disk, or a terminal that has gone, must end nothing


def hide(secrets: Sequence[str]) -> None:
    """From now on these do not get into our own log."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, _Masked):
            handler.formatter.secrets = secrets


def echo(service: str, line: str) -> None:
    """Shows a line of a service on the terminal."""
    with contextlib.suppress(OSError, ValueError):  # the terminal has gone
        print(f"[{service}] {line}", file=sys.stderr, flush=True)  # noqa: T201
