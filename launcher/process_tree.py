"""Starts a process so that it, and all that it starts, can be ended: nothing is left behind.

POSIX: a session of its own, and a mark in its environment, which its children inherit, also those
that leave the session or outlive a launcher that was killed. Windows: a job object that ends with
its last handle, also when we are killed.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import psutil

from launcher.record import Record

_GRACE_S = 3.0
_MARK = "NAVIGATOR_SERVICE"
_LOOK_S = 0.05
_YOUNG_S = 3.0


class ProcessTree(Protocol):
    """A started process and its descendants. Its methods may block for some seconds."""

    popen: subprocess.Popen[bytes]

    def ask_to_end(self) -> None:
        """Asks politely, where there is a way."""

    def kill(self) -> None:
        """Ends all of them; returns when none is left."""


def start(
    command: Sequence[str], *, environ: Mapping[str, str], cwd: Path | None, holds_stdin: bool
) -> ProcessTree:
    """Starts a process. Its output comes out of `popen.stdout`, errors too. Raises OSError.

    With `holds_stdin` its input stays open until we close it or end; else it is empty, so that
    nothing waits for a key.
    """
    if sys.platform == "win32":
        from launcher.windows_job import WindowsTree  # noqa: PLC0415 - asks for Windows' calls

        return WindowsTree(command, environ=environ, cwd=cwd, holds_stdin=holds_stdin)
    return PosixTree(command, environ=environ, cwd=cwd, holds_stdin=holds_stdin)


def marked(environ: Mapping[str, str], mark: str) -> dict[str, str]:
    """The environment of a service. All that it starts inherits the mark, wherever it goes."""
    return {**environ, _MARK: mark}


def end_left_behind(record: Record | None, mark: str) -> bool:
    """Ends what is left of a service: what is recorded, and what has its mark; whether there was.

    A number alone proves nothing: by now it may be that of another process or group.
    """
    left = _bearers(mark)
    process = record.process() if record is not None else None
    if process is not None:
        with contextlib.suppress(psutil.Error):
            family = [process, *process.children(recursive=True)]
            left += [one for one in family if one not in left]
    _end(left)
    return bool(left)


class PosixTree:
    """The members of one session, and what left it but is still a descendant."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        cwd: Path | None,
        holds_stdin: bool,
    ):
        self._since_s = time.time() - 1.0
        self._mark = environ.get(_MARK, "")
        self._known: list[psutil.Process] = []
        self.popen = subprocess.Popen(  # noqa: S603 - what the owner has installed
            command,
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.PIPE if holds_stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def ask_to_end(self) -> None:
        """Sends SIGTERM to the process alone: it ends its children, or we do."""
        self._known = self._descendants()  # nobody can tell whose they were once it has ended
        with contextlib.suppress(ProcessLookupError):
            self.popen.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        left = _members(self.popen.pid, since_s=self._since_s)
        for one in (*self._known, *self._descendants(), *_bearers(self._mark)):
            if one not in left:
                left.append(one)
        _end(left)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(_GRACE_S)

    def _descendants(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.popen.pid).children(recursive=True)
        except psutil.Error:
            return []


def _members(group: int, *, since_s: float) -> list[psutil.Process]:
    """The living processes of a group that were made since then.

    A number is given to another process only when its group is empty, so that they are of ours.
    """
    if sys.platform == "win32":
        return []
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if (
                os.getpgid(process.pid) == group
                and process.create_time() >= since_s - 1.0
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
    return found


def _bearers(mark: str) -> list[psutil.Process]:
    """The living processes that were started with this mark, by whomever.

    One that is just becoming another program has no environment for a moment, and is looked at once
    more.
    """
    found: list[psutil.Process] = []
    if sys.platform == "win32" or not mark:  # there a job object holds all of them
        return found
    young: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # of others, whose we may not read
            environ = process.environ()
            if environ.get(_MARK) == mark:
                found.append(process)
            elif not environ and time.time() - process.create_time() < _YOUNG_S:
                young.append(process)
    if young:
        time.sleep(_LOOK_S)
    for process in young:
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(_MARK) == mark:
                found.append(process)
    return [one for one in found if one.pid != os.getpid() and _is_alive(one)]


def _end(processes: Iterable[psutil.Process]) -> None:
    """Kills them, and again what they started in between."""
    left = list(processes)
    deadline_s = time.monotonic() + _GRACE_S
    while left and time.monotonic() < deadline_s:
        for process in left:
            with contextlib.suppress(psutil.Error):
                left += [child for child in process.children() if child not in left]
        for process in left:
            with contextlib.suppress(psutil.Error):  # it has just ended
                process.kill()
        left = [process for process in left if _is_alive(process)]
        if left:
            time.sleep(_LOOK_S)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
