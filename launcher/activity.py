"""Whether a silent process works: a download of gigabytes writes no line for a long time."""

import contextlib
from dataclasses import dataclass

import psutil

_BUSY_SHARE = 0.1  # of one processor core
_BUSY_BYTES = 1_000_000


@dataclass(frozen=True)
class Work:
    """What a process has done since it was started: processor time, and bytes written."""

    cpu_s: float
    written_bytes: int


def work_of(pid: int) -> dict[int, Work]:
    """The work of a process and its descendants, by process id. Blocks for a moment."""
    found = dict[int, Work]()
    with contextlib.suppress(psutil.Error):
        first = psutil.Process(pid)
        for one in (first, *first.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                cpu = one.cpu_times()
                found[one.pid] = Work(cpu.user + cpu.system, _written_bytes(one))
    return found


def is_work(before: dict[int, Work], after: dict[int, Work], within_s: float) -> bool:
    """Whether more was done in between than waiting. New processes count in full."""
    none = Work(0.0, 0)
    done = [(before.get(pid, none), now) for pid, now in after.items()]
    cpu_s = sum(now.cpu_s - was.cpu_s for was, now in done)
    written_bytes = sum(now.written_bytes - was.written_bytes for was, now in done)
    return cpu_s >= _BUSY_SHARE * within_s or written_bytes >= _BUSY_BYTES


def _written_bytes(process: psutil.Process) -> int:
    """0 where the system does not tell."""
    try:
        told = process.io_counters()
        return int(getattr(told, "write_chars", told.write_bytes))
    except (psutil.Error, AttributeError, OSError):  # macOS has none
        return 0
