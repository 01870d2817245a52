"""Listens on both ports with one Hypercorn in one event loop, and ends quickly when told to."""

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from app.errors import NavigatorError
from app.tasks import running
from app.web import http2
from app.web.asgi import App
from app.web.gate import Gate
from app.web.realtime import Realtime
from app.web.security_headers import SecurityHeaders

log = logging.getLogger(__name__)

_GRACEFUL_S = 3.0
# For how long a connection may stay without a whole request line and headers, too.
_KEEP_ALIVE_S = 75.0
_MAX_SOCKET_MESSAGE_BYTES = 1_000_000  # what socket.io takes at most
_CUT_OFF_INTERVAL_S = 0.25
# Where the tasks of connections and requests come from.
_SERVING_MODULES = {"hypercorn.asyncio.run", "hypercorn.asyncio.task_group", "quart.asgi"}
_BACKLOG = 512
_EVERY_IPV4 = "0.0.0.0"  # noqa: S104 - only compared
_EVERY_IPV6 = "::"


class PortTaken(NavigatorError):
    """Something else listens on a port that we need."""

    code = "PORT_TAKEN"


def listen(host: str, port: int, *, setting: str) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Host `::` is every interface over IPv4 too, where the system can do that. Raises `PortTaken`,
    naming the setting.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == _EVERY_IPV6 and socket.has_dualstack_ipv6()
    try:
        return socket.create_server(
            (host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=both
        )
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "is taken by another program" if taken else f"cannot be used ({error.strerror})"
        raise PortTaken(f"{setting}: port {port} of {host} {reason}; name another one.") from error


def shown_address(host: str, port: int) -> str:
    """What to type into a browser on this machine to reach `host`, for the log."""
    if host in {_EVERY_IPV4, _EVERY_IPV6}:
        return f"http://localhost:{port} (on every interface)"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(
    app: App,
    realtime: Realtime,
    sockets: Sequence[socket.socket],
    stopped: asyncio.Event,
    *,
    on_listening: Callable[[], Awaitable[None]] | None = None,
    on_stopping: Callable[[], None] | None = None,
    keep_alive_s: float = _KEEP_ALIVE_S,
) -> None:
    """Serves `app` on the first socket, socket.io alone on the second, until `stopped` is set.

    Takes the sockets over. Whoever waits for something long hears of the end by `on_stopping`.
    `keep_alive_s` is for how long a connection may have no request.
    """
    realtime_port = sockets[1].getsockname()[1] if len(sockets) > 1 else None
    gate = Gate(app, realtime_port=realtime_port)
    served = SecurityHeaders(gate)
    loop = asyncio.get_running_loop()
    complaints = loop.get_exception_handler()

    async def shutdown() -> None:
        if on_listening is not None:
            await on_listening()
        await stopped.wait()
        log.info("stopping")
        loop.set_exception_handler(_without_cancellations)
        gate.drain()
        if on_stopping is not None:
            on_stopping()
        await realtime.close_sockets()

    http2.install()
    config = Config()
    config.bind = [f"fd://{taken.detach()}" for taken in sockets]
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    config.include_server_header = False
    # Never `read_timeout`: it would cut whoever reads a large answer slowly, and says nothing.
    config.keep_alive_timeout = keep_alive_s
    config.graceful_timeout = _GRACEFUL_S
    config.shutdown_timeout = _GRACEFUL_S
    config.h11_max_incomplete_size = 64 * 1024
    config.websocket_max_message_size = _MAX_SOCKET_MESSAGE_BYTES
    try:
        async with running(_cut_off(stopped)):
            await hypercorn_serve(served, config, shutdown_trigger=shutdown)  # type: ignore[arg-type]
    finally:
        loop.set_exception_handler(complaints)


async def _cut_off(stopped: asyncio.Event) -> None:
    """Ends what is still being sent when our patience is over.

    Hypercorn cancels a connection once, and then waits for ever until its client has read what was
    written already, which a paused download never does. Since Python 3.12 it waits for the end of
    every connection even before that. Quart leaves the handler running when it is cancelled.
    """
    await stopped.wait()
    await asyncio.sleep(_GRACEFUL_S)
    while True:
        await asyncio.sleep(_CUT_OFF_INTERVAL_S)
        for task in asyncio.all_tasks():
            frame = getattr(task.get_coro(), "cr_frame", None)
            if frame is not None and frame.f_globals["__name__"] in _SERVING_MODULES:
                task.cancel()


def _without_cancellations(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Python 3.11 complains of each connection that is cut off when our patience is over."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)
