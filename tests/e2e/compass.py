"""A stand-in for Compass: its build, and a page that shows it. What it calls: `compass/`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.browser import HERE, NODE_MODULES, Page

JsonObject = dict[str, Any]

_AXIOS = NODE_MODULES / "axios" / "dist" / "esm" / "axios.min.js"
_SOCKET_IO = NODE_MODULES / "socket.io-client" / "dist" / "socket.io.esm.min.js"
_FILES = {
    "index.html": HERE / "compass" / "index.html",
    "favicon.ico": HERE / "compass" / "favicon.svg",  # browsers look at what is in it
    "assets/compass-DiwrgTda.js": HERE / "compass" / "compass.js",
    "assets/axios-Cx4_k9aZ.js": _AXIOS,
    "assets/socket.io-B2kd81Qa.js": _SOCKET_IO,
}


def build(folder: Path, *, api: str | None = None, realtime: str | None = None) -> Path:
    """Writes a build as it is published, with placeholders; gives the folder.

    `api` and `realtime` are the addresses that it is built for, if that was done before.
    """
    for path, source in _FILES.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text("utf-8")
        if api is not None and realtime is not None:
            text = text.replace("COMPASS_APP_API_BASE", api)
            text = text.replace("COMPASS_APP_RT_API_BASE", realtime)
        target.write_text(text, "utf-8")
    return folder


@dataclass(frozen=True)
class Compass:
    """The page, opened at the address `url`."""

    page: Page
    url: str

    async def open(self, path: str = "/") -> None:
        """Loads the page anew, as when it is reloaded; returns when it has checked its session."""
        await self.page.open(self.url + path)
        await self.page.see("body[data-ready]")

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and body of a call by axios, with the session's token."""
        answer = await self.page.call("ask", method, path, body)
        return answer["status"], answer["data"]

    async def get(self, path: str) -> Any:
        """The body of what must be answered with 200."""
        status, data = await self.ask("get", path)
        assert status == 200, data
        return data

    async def log_in(self) -> None:
        """Logs the demo user in."""
        assert await self.page.call("login", "DEMO_USER") == ""

    async def session(self) -> JsonObject | None:
        """`token`, `user` and `role` of who is logged in."""
        session: JsonObject | None = await self.page.call("session")
        return session

    async def generate(self, body: JsonObject, path: str = "/api/queue/user/txt2img") -> str:
        """Sends the form, which must be accepted; gives the job's id."""
        answer = await self.page.call("generate", body, path)
        assert answer["status"] == 200, answer
        return str(answer["data"]["job_id"])

    async def connected(self, times: int = 1) -> None:
        """Returns once its socket has been connected so many times."""
        await self.page.call("connected", times)

    async def event(self, name: str, job_id: str | None = None, *, since: int = 0) -> JsonObject:
        """The payload of the first such event that its socket heard or will hear.

        Only events from the place `since` on count, see `events_so_far`.
        """
        payload: JsonObject = await self.page.call("event", name, job_id, since)
        return payload

    async def events_so_far(self) -> int:
        """How many events its socket has heard."""
        return int(await self.page.call("count"))

    async def event_names(self, job_id: str) -> list[str]:
        """The names of the job's events in order, equal neighbours once."""
        names = await self.page.call("names", job_id)
        return [name for name, before in zip(names, [None, *names], strict=False) if name != before]

    async def finished(self, body: JsonObject) -> str:
        """Makes a picture and waits for it; gives its id."""
        job_id = await self.generate(body)
        await self.event("task-finished", job_id)
        return job_id
