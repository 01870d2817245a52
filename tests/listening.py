"""A socket.io client that notes everything it hears. Knows nothing of what runs on the server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import socketio
from socketio.exceptions import ConnectionError as ConnectionFailed

from tests.waiting import LIMIT_S, until

JsonObject = dict[str, Any]


@dataclass
class Listener:
    """A connected socket.io client and every event that it received, in order."""

    client: socketio.AsyncClient
    events: list[tuple[str, JsonObject]] = field(default_factory=list)

    def of(self, job_id: str) -> list[tuple[str, JsonObject]]:
        """Name and payload of the events that tell of this job."""
        return [(name, told) for name, told in self.events if told.get("job_id") == job_id]

    def named(self, name: str) -> list[JsonObject]:
        """The payloads of all events of this name."""
        return [told for heard, told in self.events if heard == name]

    def names(self, job_id: str) -> list[str]:
        """The names of the job's events in order, equal neighbours once."""
        names = [name for name, _ in self.of(job_id)]
        return [name for name, before in zip(names, [None, *names], strict=False) if name != before]

    async def event(self, name: str, job_id: str, timeout_s: float = LIMIT_S) -> JsonObject:
        """The payload of the job's first event of this name, waiting for it."""
        await until(lambda: any(name == heard for heard, _ in self.of(job_id)), timeout_s)
        return next(told for heard, told in self.of(job_id) if heard == name)

    async def told(self, name: str, timeout_s: float = LIMIT_S, *, count: int = 1) -> JsonObject:
        """The payload of the first event of this name, when there are so many of them."""
        await until(lambda: len(self.named(name)) >= count, timeout_s)
        return self.named(name)[0]


class Refused(Exception):
    """The server did not let a socket in."""


@contextlib.asynccontextmanager
async def listening(
    url: str,
    token: object = None,
    *,
    transport: str = "websocket",
    headers: Mapping[str, str] | None = None,
    auth: object = None,
    namespace: str = "/",
) -> AsyncIterator[Listener]:
    """A socket.io client that stays connected while the block runs.

    Raises `Refused` with what the server said.
    """
    async with aiohttp.ClientSession() as session:
        client = socketio.AsyncClient(http_session=session, reconnection=False)
        listener = Listener(client)
        refusals: list[object] = []

        async def note(name: str, payload: JsonObject) -> None:
            listener.events.append((name, payload))

        client.on("*", note)
        client.on("connect_error", refusals.append, namespace=namespace)
        try:
            await client.connect(
                url,
                auth=auth if token is None else {"token": token},
                headers=dict(headers or {}),
                transports=[transport],
                namespaces=[namespace],
                wait_timeout=10,
            )
            yield listener
        except ConnectionFailed as error:
            raise Refused(refusals) from error
        finally:
            if transport == "polling" and client.connected:
                # Goes as a closed page does: the library would wait for its last poll.
                reading = client.eio.read_loop_task
                await client.eio.disconnect(abort=True)
                await session.close()
                await asyncio.wait([reading])
            else:
                await client.disconnect()
