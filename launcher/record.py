"""A note of a process on the disk, so that the next launcher finds it if this one is killed.

A process is told from a later one of the same id by the moment at which it was made, and by its
command. The moment may be off by a little when the clock of the machine was set.
"""

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_SAME_MOMENT_S = 2.0
_BEGINS_WITHIN_S, _LOOK_S = 1.0, 0.002


@dataclass(frozen=True)
class Record:
    """A process: its id, when it was made (seconds since 1970), and its command.

    It leads a group of the same number, on systems that have groups.
    """

    pid: int
    created_s: float
    command: tuple[str, ...]

    @classmethod
    def of(cls, pid: int) -> "Record | None":
        """That of a running process; None when it has ended already.

        May block for a moment: Linux closes the pipe by which `subprocess` knows that a program was
        started before it says which one it is (`begin_new_exec` comes before the new arguments).
        """
        try:
            process = psutil.Process(pid)
            deadline_s = time.monotonic() + _BEGINS_WITHIN_S
            while not (command := process.cmdline()) and time.monotonic() < deadline_s:
                if process.status() == psutil.STATUS_ZOMBIE:
                    return None
                time.sleep(_LOOK_S)
            return cls(pid, process.create_time(), tuple(command))
        except psutil.Error:
            return None

    def process(self) -> psutil.Process | None:
        """The process, if it still runs."""
        try:
            found = psutil.Process(self.pid)
            is_same = abs(found.create_time() - self.created_s) < _SAME_MOMENT_S
            is_same = is_same and tuple(found.cmdline()) == self.command
            return found if is_same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


class RecordFile:
    """One record in a file."""

    def __init__(self, path: Path):
        self._path = path

    @property
    def mark(self) -> str:
        """What tells the processes of this service from all others on the machine."""
        return str(self._path.absolute())

    def read(self) -> Record | None:
        """The record; None if there is none, or none that makes sense."""
        try:
            told = json.loads(self._path.read_text("utf-8"))
            record = Record(told["pid"], told["created_s"], tuple(told["command"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None
        is_number = isinstance(record.created_s, int | float)
        return record if type(record.pid) is int and record.pid > 1 and is_number else None

    def write(self, record: Record) -> None:
        """Replaces the file. A disk that refuses it costs only the finding."""
        partial = self._path.with_name(f"{self._path.name}.partial")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(asdict(record)), "utf-8")
            partial.replace(self._path)

    def remove(self) -> None:
        """There is no record any more."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
