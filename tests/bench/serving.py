"""Starts what is measured: Navigator as its users start it, and an instant Forge behind it."""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import socketio

from tests.databases import free_port

Event = tuple[float, str, dict[str, Any]]


@dataclass
class Server:
    """A running Navigator, seen by a client of it. Times are monotonic seconds."""

    url: str
    forge_url: str
    process: psutil.Process
    http: aiohttp.ClientSession
    token: str = ""
    started_in_s: float = 0.0
    happened: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)

    async def submit(self, **parameters: Any) -> str:
        """Posts a small job; gives its id."""
        body = {"prompt": "a fox", "width": 256, "height": 256, "seed": 1} | parameters
        body.setdefault("model_name", self.checkpoint)
        async with self.http.post(
            f"{self.url}/api/queue/user/txt2img",
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
        ) as response:
            answer = await response.json()
            if response.status != 200:
                raise RuntimeError(str(answer))
            return str(answer["job_id"])

    async def finished(self, job_id: str | None = None) -> Event:
        """The next `task-finished`, of this job or of any."""
        while True:
            event = await self.happened.get()
            if event[1] == "task-failed":
                raise RuntimeError(str(event))
            if event[1] == "task-finished" and job_id in {None, event[2]["job_id"]}:
                return event

    async def forge_times(self) -> dict[str, list[float]]:
        """When generation requests arrived at Forge, and when its answers left."""
        async with self.http.get(f"{self.forge_url}/bench/times") as response:
            times: dict[str, list[float]] = await response.json()
            return times

    checkpoint: str = ""


@contextlib.contextmanager
def forge_process(*, padding_bytes: int = 0, loras: int = 0) -> Iterator[str]:
    """An instant Forge in its own process; gives its address."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.bench.forge_process"),
            *(str(port), str(padding_bytes), str(loras)),
        ]
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextlib.asynccontextmanager
async def serving(
    *, padding_bytes: int = 0, loras: int = 0, settings: dict[str, str] | None = None
) -> AsyncIterator[Server]:
    """Navigator, an instant Forge, and a logged-in client with a socket."""
    with (
        tempfile.TemporaryDirectory(prefix="navigator-bench-") as folder,
        forge_process(padding_bytes=padding_bytes, loras=loras) as forge_url,
    ):
        http_port, rt_port = free_port(), free_port()
        url = f"http://127.0.0.1:{http_port}"
        async with aiohttp.ClientSession() as http:
            await _answers(http, f"{forge_url}/sdapi/v1/loras")
            environ = os.environ | {
                "SD_API_HOST": f"{forge_url}/sdapi/v1",
                "ENABLE_DEMO_USER": "true",
                "MAX_QUEUED_JOBS_PER_USER": "100000",
                **(settings or {}),
            }
            began_s = time.monotonic()
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "app", "serve"),
                    *("--data-dir", str(Path(folder) / "data")),
                    *(f"--http-port={http_port}", f"--rt-port={rt_port}"),
                ],
                env=environ,
                stderr=subprocess.DEVNULL,
            )
            try:
                await _answers(http, url)
                server = Server(url, forge_url, psutil.Process(process.pid), http)
                server.started_in_s = time.monotonic() - began_s
                await _answers(http, f"{url}/api/models")
                async with _connected(server):
                    yield server
            finally:
                process.terminate()
                process.wait()


async def _answers(http: aiohttp.ClientSession, url: str) -> None:
    deadline_s = time.monotonic() + 30
    while True:
        with contextlib.suppress(aiohttp.ClientError):
            async with http.get(url) as response:
                if response.status == 200:
                    return
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{url} does not answer")
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def _connected(server: Server) -> AsyncIterator[None]:
    async with server.http.post(
        f"{server.url}/api/auth/login", json={"code": "DEMO_USER"}
    ) as response:
        server.token = (await response.json())["token"]
    async with server.http.get(f"{server.url}/api/models") as response:
        server.checkpoint = (await response.json())["models"][0]["model_name"]
    connection = socketio.AsyncClient(http_session=server.http)

    async def note(name: str, payload: dict[str, Any]) -> None:
        server.happened.put_nowait((time.monotonic(), name, payload))

    connection.on("*", note)
    await connection.connect(server.url, auth={"token": server.token}, transports=["websocket"])
    try:
        yield
    finally:
        await connection.disconnect()
