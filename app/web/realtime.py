"""socket.io: who is connected, and which events reach whom. One task emits them all."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import orjson
import socketio
from socketio.exceptions import ConnectionRefusedError as Refused

from app.accounts.accounts import Accounts
from app.events import Event, EventBus, JobEvent
from app.setting_types import Networks
from app.tasks import running
from app.web import session_cookie, wire
from app.web.address import client_address
from app.web.asgi import App, Scope
from app.web.errors import translated
from app.web.hosts import Hosts

log = logging.getLogger(__name__)

_WELCOME = "Welcome aboard! We're navigating uncharted territories together."


class _FastJson:
    """What python-socketio asks of a JSON module, by orjson."""

    @staticmethod
    def dumps(value: Any, **_options: Any) -> str:
        return orjson.dumps(value).decode()

    loads = staticmethod(orjson.loads)


class Realtime:
    """The socket.io server.

    A socket with a valid token hears of its user's jobs, from anywhere. One without hears of the
    jobs that were submitted from its own address; if a page at our own address opened it in a
    browser that logged in there, also of its user's.
    """

    def __init__(
        self, accounts: Accounts, events: EventBus, hosts: Hosts, trusted_proxies: Networks
    ):
        self._accounts = accounts
        self._events = events
        self._hosts = hosts
        self._trusted_proxies = trusted_proxies
        self._server = socketio.AsyncServer(
            async_mode="asgi",
            cors_allowed_origins="*",
            json=_FastJson,
            logger=False,
            engineio_logger=False,
        )
        self._server.on("connect", self._connect)

    def mounted_on(self, app: App) -> App:
        """An ASGI application that answers `/socket.io` and passes the rest to `app`."""
        mounted: App = socketio.ASGIApp(self._server, other_asgi_app=app)
        return mounted

    @contextlib.asynccontextmanager
    async def emitting(self) -> AsyncIterator[None]:
        """Emits what happens while the block runs."""
        async with self._events.subscribed() as happened, running(self._emit(happened)):
            yield

    async def close_sockets(self) -> None:
        """Ends every connection at once, without waiting for the other side."""
        sockets = list(self._server.eio.sockets.values())
        await asyncio.gather(
            *(socket.close(wait=False) for socket in sockets), return_exceptions=True
        )
        for socket in sockets:
            socket.queue.put_nowait(None)  # ends the poll of one that its client closed before

    async def _connect(self, sid: str, environ: dict[str, Any], auth: object = None) -> None:
        token = auth.get("token") if isinstance(auth, dict) else None
        try:
            rooms = await self._rooms(environ["asgi.scope"], str(token) if token else None)
        except Exception as error:  # the renderer's, for what is no request
            raise Refused(translated(error).message) from error
        for room in rooms:
            await self._server.enter_room(sid, room)
        self._server.start_background_task(self._welcome, sid)

    async def _rooms(self, scope: Scope, token: str | None) -> list[str]:
        if token is not None:
            caller = await self._accounts.authenticate_socket(token)
            return [_user_room(caller.user_id)]
        rooms = [_address_room(client_address(scope, self._trusted_proxies))]
        remembered = await session_cookie.caller_of(scope, self._accounts)
        # Browsers send the cookie for pages of others too, so those are not believed.
        if remembered is not None and await session_cookie.is_same_origin(scope, self._hosts):
            rooms.append(_user_room(remembered.user_id))
        return rooms

    async def _welcome(self, sid: str) -> None:
        await self._server.emit("connected", {"message": _WELCOME}, to=sid)

    async def _emit(self, happened: asyncio.Queue[Event]) -> None:
        while True:
            event = await happened.get()
            try:
                name, payload = wire.event(event)
                rooms = None  # everybody
                if isinstance(event, JobEvent):
                    rooms = [_user_room(event.job.owner_id), _address_room(event.job.origin)]
                await self._server.emit(name, payload, to=rooms)
            except Exception:
                log.exception("an event could not be sent")


def _user_room(user_id: str) -> str:
    return f"user:{user_id}"


def _address_room(address: str) -> str:
    return f"address:{address}"
