"""Who listens on a port of this machine, and which one is free."""

import contextlib
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
    """Whether nobody else can listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            return False
    except OSError:
        return True


def holder(port: int) -> Holder | None:
    """What listens on the port, on whatever address; None for nothing that can be seen."""
    listening = None
    # Windows and macOS may tell only some; Linux tells processes of others to root alone.
    with contextlib.suppress(psutil.Error, OSError):
        for found in psutil.net_connections("tcp"):
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port:
                listening = found
                if found.pid is not None:
                    break
    if listening is None:
        return None
    if listening.pid is None:
        return Holder(None, None)
    try:
        return Holder(psutil.Process(listening.pid).name(), listening.pid)
    except psutil.Error:
        return Holder(None, listening.pid)


def next_free(port: int, host: str = LOOPBACK) -> int:
    """The first free port after this one."""
    for candidate in range(port + 1, min(port + 1 + _TRIED, 65536)):
        if not is_taken(candidate, host) and holder(candidate) is None:
            return candidate
    with socket.create_server((host, 0)) as any_port:
        return int(any_port.getsockname()[1])
