"""A TCP proxy in front of a database that can lose an answer: what was asked for was done, and
nobody was told. It knows nothing of the protocol but the text of a statement."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from app.setting_types import DatabaseLocation


@dataclass
class LosingProxy:
    """`location` names the database through the proxy, `behind` the database itself.

    `lost` counts the answers that were lost.
    """

    location: DatabaseLocation
    behind: DatabaseLocation
    lost: int = 0
    _statement: bytes = b""
    _closing: asyncio.Event = field(default_factory=asyncio.Event)
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    def lose_answer_to(self, statement: str) -> None:
        """Breaks the connection once, after the next statement that holds this text was done."""
        self._statement = statement.encode()

    def accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Passes on what comes in over a new connection."""
        connection = asyncio.create_task(self._pass_on(client, to_client))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def close(self) -> None:
        """Ends all connections."""
        self._closing.set()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _pass_on(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(self.behind.host, self.behind.port)
        losing = asyncio.Event()

        async def ask() -> None:
            while data := await client.read(65536):
                if self._statement and self._statement in data:
                    self._statement = b""
                    losing.set()
                to_server.write(data)
                await to_server.drain()

        async def answer() -> None:
            while data := await server.read(65536):
                if losing.is_set():
                    self.lost += 1
                    return
                to_client.write(data)
                await to_client.drain()

        tasks = [asyncio.create_task(each) for each in (ask(), answer(), _until(self._closing))]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in (to_client, to_server):
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _until(event: asyncio.Event) -> None:
    await event.wait()


@contextlib.asynccontextmanager
async def losing_proxy(location: DatabaseLocation) -> AsyncIterator[LosingProxy]:
    """A proxy in front of the MariaDB at `location`."""
    proxy = LosingProxy(location, behind=location)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.location = replace(location, port=server.sockets[0].getsockname()[1])
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
        await server.wait_closed()
