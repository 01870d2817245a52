"""The least that a server of our kind does: reads one file and sends it, whatever is asked for.

`python -m tests.bench.bare_server PORT FILE`. Hypercorn and uvloop as in Navigator, and nothing
else: no routes, no database, no look at the request. What it reaches is what this machine can do.
"""

import asyncio
import sys
from functools import partial
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config

from app.cli.running import run
from app.web.asgi import Receive, Scope, Send
from app.web.cached_reads import PIECE_BYTES


async def main(port: int, path: Path, stopped: asyncio.Event) -> None:
    """Serves until `stopped` is set."""
    size_bytes = path.stat().st_size
    buffer = memoryview(bytearray(PIECE_BYTES))
    headers = [(b"content-type", b"image/png"), (b"content-length", str(size_bytes).encode())]

    async def application(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                piece = bytes(buffer[:count])
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.accesslog = config.errorlog = None
    await serve(application, config, shutdown_trigger=stopped.wait)  # type: ignore[arg-type]


if __name__ == "__main__":
    run(partial(main, int(sys.argv[1]), Path(sys.argv[2])))
