"""Who listens on a port of this machine, and which one is free."""

import contextlib
import errno
import socket
from dataclasses import dataclass

import psutil

LOOPBACK = "127.0.0.1"
_TRIED = 100


@dataclass(frozen=True)
class Holder:
    """What listens on a port. The name and pid are None where the system does not tell."""

    name: str | None
    pid: int | None

    def __str__(self) -> str:
        if self.name is None:
            return "another program"
        return f"{self.name} (process {self.pid})"


def is_taken(port: int, host: str = LOOPBACK) -> bool:
    """Whether nobody else can listen there now. False for an address that is not of the machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            return False
    except OSError as error:
        return error.errno in {errno.EADDRINUSE, errno.EACCES}


def holder(port: int) -> Holder | None:
    """What listens on the port, on whatever address; None for nothing that can be seen."""
    found = listeners(port)
    pid = next((one for one in found if one is not None), None)
    if pid is None:
        return Holder(None, None) if found else None
    try:
        return Holder(psutil.Process(pid).name(), pid)
    except psutil.Error:
        return Holder(None, pid)


def listeners(port: int) -> set[int | None]:
    """The processes that listen on the port, on whatever address; None for a hidden one."""
    found = set[int | None]()
    # Windows and macOS may tell only some; Linux tells processes of others to root alone.
    with contextlib.suppress(psutil.Error, OSError):
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port:
                found.add(one.pid)
    return found


def family_of(pid: int) -> set[int]:
    """A process and its descendants."""
    with contextlib.suppress(psutil.Error):
        return {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    return {pid}


def next_free(port: int, host: str = LOOPBACK) -> int:
    """The first free port after this one."""
    for candidate in range(port + 1, min(port + 1 + _TRIED, 65536)):
        if not is_taken(candidate, host) and holder(candidate) is None:
            return candidate
    with socket.create_server((host, 0)) as any_port:
        return int(any_port.getsockname()[1])
