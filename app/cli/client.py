"""A client of Navigator's public HTTP and socket.io API, as any other program would write one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import socketio

_ENDINGS = ("task-finished", "task-failed")
_ANSWER_TIMEOUT = aiohttp.ClientTimeout(total=30)


class ClientFailed(Exception):
    """The server refused something; the text is its sentence."""


class NavigatorClient:
    """Talks to the Navigator at `url` as one logged-in user."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str):
        self._http = http
        self._url = url
        self._token = token
        self._happened: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

    @classmethod
    @contextlib.asynccontextmanager
    async def logged_in(cls, url: str, code: str) -> AsyncIterator["NavigatorClient"]:
        """Logs in with `code` and stays connected while the block runs."""
        async with aiohttp.ClientSession(timeout=_ANSWER_TIMEOUT) as http:
            async with http.post(f"{url}/api/auth/login", json={"code": code}) as response:
                token = str((await _accepted(response))["token"])
            client = cls(http, url, token)
            async with client._listening():
                yield client

    async def generate(self, prompt: str, **parameters: Any) -> str:
        """Submits a prompt to the first checkpoint; gives the job's id."""
        async with self._http.get(f"{self._url}/api/models") as response:
            models = (await _accepted(response))["models"]
        if not models:
            raise ClientFailed("Forge has no checkpoint.")
        body = {"model_name": models[0]["model_name"], "prompt": prompt, **parameters}
        async with self._http.post(
            f"{self._url}/api/queue/user/txt2img",
            json=body,
            headers={"Authorization": f"Bearer {self._token}"},
        ) as response:
            return str((await _accepted(response))["job_id"])

    async def events(self, job_id: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Name and payload of each event of the job, the last one telling how it ended."""
        while True:
            name, payload = await self._happened.get()
            if payload.get("job_id") == job_id:
                yield name, payload
                if name in _ENDINGS:
                    return

    async def image(self, path: str) -> bytes:
        """The bytes at `img_path`."""
        async with self._http.get(self._url + path) as response:
            if response.status != 200:
                await _accepted(response)
            return await response.read()

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        # Its own handling of Ctrl-C would stop the event loop under us.
        connection = socketio.AsyncClient(http_session=self._http, handle_sigint=False)

        async def note(name: str, payload: dict[str, Any]) -> None:
            self._happened.put_nowait((name, payload))

        connection.on("*", note)
        await connection.connect(self._url, auth={"token": self._token})
        try:
            yield
        finally:
            await connection.disconnect()


async def _accepted(response: aiohttp.ClientResponse) -> dict[str, Any]:
    answer: dict[str, Any] = await response.json()
    if response.status != 200:
        raise ClientFailed(str(answer.get("error", response.status)))
    return answer
