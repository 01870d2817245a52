"""What a service writes: into lines, without secrets, to a log file that is kept small.

Forge's progress bars overwrite their line with carriage returns: the last line shows each of
them, the file only some.
"""

import contextlib
import logging
import logging.handlers
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from launcher.masking import without_secrets

_MAX_FILE_BYTES = 5_000_000
_KEPT_FILES = 5
_MAX_LINE_CHARS = 4000
_KEPT_LINES = 200
_REDRAWN_S = 2.0
# Colours and cursor movements of terminals.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

Line = Callable[[str], None]


class Output:
    """The output of one service. It is fed from the thread that reads it."""

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        secrets: Sequence[str] = (),
        echo: Line | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        """Writes to `<folder>/<name>.log`, and hands what it writes to `echo`."""
        self.path = folder / f"{name}.log"
        folder.mkdir(parents=True, exist_ok=True)
        self._file = logging.handlers.RotatingFileHandler(
            self.path,
            maxBytes=_MAX_FILE_BYTES,
            backupCount=_KEPT_FILES,
            encoding="utf-8",
            errors="replace",
            delay=True,
        )
        self._file.setFormatter(logging.Formatter("%(message)s"))
        self.secrets = secrets
        self._echo = echo
        self._clock = clock
        self._name = name
        self._pending = b""
        self._written_s = float("-inf")
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._current = ""

    @property
    def last_line(self) -> str:
        """The newest line that says anything, also one that is still being redrawn."""
        return self._current

    def lines(self) -> list[str]:
        """The newest lines, the oldest first."""
        return list(self._lines)

    def forget(self) -> None:
        """Begins anew: what a former process wrote is not said by the next."""
        self._lines.clear()
        self._current, self._pending = "", b""

    def feed(self, data: bytes) -> None:
        """Takes what was read; the end of it may be half a line, or half a character."""
        self._pending += data
        while match := re.search(rb"\r\n|\n|\r(?=.)", self._pending, re.DOTALL):
            line, mark = self._pending[: match.start()], match.group()
            self._pending = self._pending[match.end() :]
            self._take(line, is_redrawn=mark == b"\r")
        if len(self._pending) > _MAX_LINE_CHARS:
            self._take(self._pending, is_redrawn=False)
            self._pending = b""

    def end(self) -> None:
        """Writes what is left."""
        if self._pending:
            self._take(self._pending.rstrip(b"\r"), is_redrawn=False)
            self._pending = b""

    def close(self) -> None:
        """Closes the file."""
        with contextlib.suppress(OSError):  # the disk is full, and it holds a line still
            self._file.close()

    def _take(self, raw: bytes, *, is_redrawn: bool) -> None:
        text = _ESCAPES.sub("", raw.decode("utf-8", "replace"))
        text = _CONTROLS.sub("", text).rstrip()[:_MAX_LINE_CHARS]
        if not text:
            return
        line = without_secrets(text, self.secrets)
        self._current = line
        now_s = self._clock()
        if is_redrawn and now_s - self._written_s < _REDRAWN_S:
            return
        self._written_s = now_s
        self._lines.append(line)
        self._write(line)

    def _write(self, line: str) -> None:
        record = logging.LogRecord(self._name, logging.INFO, "", 0, line, None, None)
        self._file.handle(record)  # which never raises: a full disk must not end a service
        if self._echo is not None:
            self._echo(line)
