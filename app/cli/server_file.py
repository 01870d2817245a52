"""`server.json` in the data folder: where the running server is, and the key for our commands.

Whoever can read the file may do everything, as with `.env` beside it. The key is a new one at each
start.
"""

import contextlib
import json
import os
import secrets
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from pathlib import Path

from app.files import write_flushed

_NAME = "server.json"
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class ServerFile:
    """What the file says. `url` works on this machine."""

    url: str
    token: str = field(repr=False)
    pid: int

    @property
    def is_stale(self) -> bool:
        """Whether the server that wrote it died without removing it."""
        import psutil

        return not psutil.pid_exists(self.pid)


def new_token() -> str:
    """A key that nobody can guess."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def own_url(host: str, port: int) -> str:
    """Where this machine reaches what listens on `host`, be that every interface or one."""
    try:
        address = ip_address(host)
    except ValueError:  # a name
        return f"http://{host}:{port}"
    if address.is_unspecified:
        # Where one socket does not take both, `::` is IPv6 only.
        only_ipv6 = address.version == 6 and not socket.has_dualstack_ipv6()
        address = ip_address("::1" if only_ipv6 else "127.0.0.1")
    return f"http://[{address}]:{port}" if address.version == 6 else f"http://{address}:{port}"


def write(data_dir: Path, url: str, token: str) -> None:
    """Writes the file of this process, for its owner's eyes only. Raises OSError."""
    content = json.dumps(asdict(ServerFile(url, token, os.getpid())))
    write_flushed(data_dir / _NAME, content.encode(), private=True)


def read(data_dir: Path) -> ServerFile | None:
    """The file; None if there is none, or none that makes sense."""
    try:
        found = json.loads((data_dir / _NAME).read_text("utf-8"))
        known = ServerFile(found["url"], found["token"], found["pid"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    is_text = isinstance(known.url, str) and isinstance(known.token, str)
    is_pid = isinstance(known.pid, int) and known.pid > 0
    return known if is_text and is_pid and known.token.isascii() else None


@contextlib.contextmanager
def removed_around(data_dir: Path) -> Iterator[None]:
    """There is no file when the block begins, and none after it. Only who holds the folder may."""
    _remove(data_dir)
    try:
        yield
    finally:
        _remove(data_dir)


def _remove(data_dir: Path) -> None:
    with contextlib.suppress(OSError):  # one that stays is stale, which its readers notice
        (data_dir / _NAME).unlink(missing_ok=True)
