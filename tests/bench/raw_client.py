"""A client of HTTP that costs next to nothing: it shares the machine with what it measures."""

import contextlib
import re
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_BUFFER_BYTES = 1024 * 1024
_TIMEOUT_S = 30.0
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@dataclass
class _Fetching:
    """One connection and what is left of its present answer."""

    connection: socket.socket
    left_bytes: int = 0


def answer_times_ms(urls: Sequence[str], headers: dict[str, str] | None = None) -> list[float]:
    """How long the answer of each address took, one after another on one connection."""
    took_ms = []
    with _connected(urls[0]) as connection:
        for url in urls:
            request = _request(url, headers or {})
            began_s = time.perf_counter()
            connection.sendall(request)
            _read(connection)
            took_ms.append((time.perf_counter() - began_s) * 1000)
    return took_ms


def megabytes_per_s(url: str, *, connections: int, count: int) -> float:
    """Megabytes of bodies per second, `count` answers over so many connections at once."""
    request = _request(url, {})
    buffer = bytearray(_BUFFER_BYTES)
    received_bytes, asked = 0, 0
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(connections):
            fetching = _Fetching(stack.enter_context(_connected(url)))
            selector.register(fetching.connection, selectors.EVENT_READ, fetching)
        began_s = time.perf_counter()
        for key in list(selector.get_map().values()):
            key.data.connection.sendall(request)
            asked += 1
        while selector.get_map():
            ready = selector.select(_TIMEOUT_S)
            if not ready:
                raise TimeoutError(f"{url} stalls")
            for key, _ in ready:
                fetching = key.data
                size_bytes = fetching.connection.recv_into(buffer)
                if not size_bytes:
                    raise ConnectionError(f"{url} broke off")
                if not fetching.left_bytes:  # heads come in one piece over the loopback
                    head, length_bytes = _parsed(bytes(buffer[: min(size_bytes, 4096)]))
                    fetching.left_bytes = length_bytes
                    size_bytes -= head
                fetching.left_bytes -= size_bytes
                received_bytes += size_bytes
                if not fetching.left_bytes:
                    if asked < count:
                        asked += 1
                        fetching.connection.sendall(request)
                    else:
                        selector.unregister(fetching.connection)
        return received_bytes / (time.perf_counter() - began_s) / 1_000_000


def _request(url: str, headers: dict[str, str]) -> bytes:
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lines = [f"{name}: {value}" for name, value in {"Host": parts.netloc, **headers}.items()]
    return "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode()


def _connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port or 80), _TIMEOUT_S)


def _read(connection: socket.socket) -> None:
    content = connection.recv(_BUFFER_BYTES)
    head, length_bytes = _parsed(content)
    left_bytes = length_bytes - (len(content) - head)
    while left_bytes > 0:
        left_bytes -= len(connection.recv(_BUFFER_BYTES))


def _parsed(content: bytes) -> tuple[int, int]:
    """Bytes of the head, and of the body that follows it. Only what succeeded is measured."""
    head, separator, _ = content.partition(b"\r\n\r\n")
    if not separator or head[9:12] not in {b"200", b"304"}:
        raise RuntimeError(f"unexpected answer: {head[:200]!r}")
    length = _LENGTH.search(head + b"\r\n")
    return len(head) + len(separator), int(length[1]) if length else 0
