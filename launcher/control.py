"""The channel on which commands of the command line reach the running launcher.

One line of JSON each way, over the loopback address, with a key that a private file tells.
"""

import asyncio
import contextlib
import hmac
import json
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from launcher.errors import LauncherError
from launcher.instance import read_contact, write_contact
from launcher.ports import LOOPBACK

log = logging.getLogger(__name__)

_LINE_BYTES = 1_000_000
_TIMEOUT_S = 10.0
_JUNK = (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)

Command = Callable[[dict[str, Any]], Awaitable[Any]]


class NotRunning(LauncherError):
    """No launcher runs with this data folder."""


class Refused(LauncherError):
    """The running launcher does not do what it was asked for."""


@contextlib.asynccontextmanager
async def listening(folder: Path, command: Command) -> AsyncIterator[None]:
    """Hands what comes in to `command`, and its result back, while the block runs.

    What `command` raises as `LauncherError` is told to whoever asked.
    """
    token = secrets.token_urlsafe(32)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(*_JUNK, OSError, TimeoutError):
            async with asyncio.timeout(_TIMEOUT_S):
                asked = json.loads(await reader.readuntil(b"\n"))
                writer.write(json.dumps(await _answer(asked, token, command)).encode() + b"\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0, limit=_LINE_BYTES)
    async with server:
        port = server.sockets[0].getsockname()[1]
        try:
            await asyncio.to_thread(write_contact, folder, port, token)
        except OSError as error:
            log.warning("navigator-launcher status and stop will not find us: %s", error)
        yield


async def ask(folder: Path, name: str, **options: Any) -> Any:
    """What the running launcher answers to a command. Raises `NotRunning` and `Refused`."""
    contact = await asyncio.to_thread(read_contact, folder)
    if contact is None:
        raise NotRunning("Navigator's launcher does not run.")
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(
                LOOPBACK, contact.port, limit=_LINE_BYTES
            )
            with contextlib.closing(writer):
                asked = {"token": contact.token, "command": name, **options}
                writer.write(json.dumps(asked).encode() + b"\n")
                told = json.loads(await reader.readuntil(b"\n"))
    except (*_JUNK, OSError, TimeoutError) as error:
        raise NotRunning("Navigator's launcher does not answer.") from error
    if not isinstance(told, dict) or "error" in told:
        raise Refused(str(told["error"]) if isinstance(told, dict) else "It makes no sense.")
    return told.get("result")


async def _answer(asked: Any, token: str, command: Command) -> dict[str, Any]:
    given = asked.get("token") if isinstance(asked, dict) else None
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), token.encode()):
        return {"error": "The key is wrong."}
    try:
        return {"result": await command(asked)}
    except LauncherError as error:
        return {"error": error.message}
