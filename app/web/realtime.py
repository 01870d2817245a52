"""socket.io: who is connected, and which events reach whom. One task emits them all."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import orjson
import socketio
from socketio.exceptions import ConnectionRefusedError as Refused

from app.accounts.accounts import Accounts
from app.accounts.caller import Caller
from app.errors import NavigatorError
from app.events import Event, EventBus, UserEvent
from app.setting_types import Networks
from app.tasks import running
from app.web import session_cookie, wire
from app.web.address import client_address
from app.web.asgi import App, Scope
from app.web.audience import (
    ADMINISTRATORS_ROOM,
    address_room,
    rooms_of_caller,
    rooms_of_event,
)
from app.web.errors import translated
from app.web.hosts import Hosts

log = logging.getLogger(__name__)

_LOOK_AGAIN_INTERVAL_S = 30.0
_WELCOME = "Welcome aboard! We're navigating uncharted territories together."


class _FastJson:
    """What python-socketio asks of a JSON module, by orjson."""

    @staticmethod
    def dumps(value: Any, **_options: Any) -> str:
        return orjson.dumps(value).decode()

    loads = staticmethod(orjson.loads)


@dataclass(frozen=True)
class _Member:
    """Whose socket it is, and the token that says so."""

    token: str
    user_id: str


class Realtime:
    """The socket.io server.

    A socket with a valid token hears of its user's jobs, from anywhere. One without hears of the
    jobs that were submitted from its own address; if a page at our own address opened it in a
    browser that logged in there, also of its user's. Administrators hear of users too. The sockets
    of a user who is shut out are closed.
    """

    def __init__(
        self,
        accounts: Accounts,
        events: EventBus,
        hosts: Hosts,
        trusted_proxies: Networks,
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
        self._members: dict[str, _Member] = {}
        self._server.on("connect", self._connect)
        self._server.on("disconnect", self._disconnect)

    def mounted_on(self, app: App) -> App:
        """An ASGI application that answers `/socket.io` and passes the rest to `app`."""
        mounted: App = socketio.ASGIApp(self._server, other_asgi_app=app)
        return mounted

    @contextlib.asynccontextmanager
    async def emitting(self) -> AsyncIterator[None]:
        """Emits what happens while the block runs, and closes sockets whose token has expired."""
        async with (
            self._events.subscribed() as happened,
            running(self._emit(happened)),
            running(self._look_again_now_and_then()),
        ):
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
        given = auth.get("token") if isinstance(auth, dict) else None
        scope = environ["asgi.scope"]
        address = client_address(scope, self._trusted_proxies)
        try:
            token = str(given) if given else await self._remembered(scope)
            caller = await self._caller_of(token, address)
        except Exception as error:  # the renderer's, for what is no request
            raise Refused(translated(error).message) from error
        if caller is not None and token is not None:
            self._members[sid] = _Member(token, caller.user_id)
            for room in rooms_of_caller(caller):
                await self._server.enter_room(sid, room)
        if not given:
            await self._server.enter_room(sid, address_room(address))
        self._server.start_background_task(self._welcome, sid)

    async def _caller_of(self, token: str | None, address: str) -> Caller | None:
        if token is None:
            return None
        return await self._accounts.authenticate_socket(token, address=address)

    async def _disconnect(self, sid: str, *_: object) -> None:
        self._members.pop(sid, None)

    async def _remembered(self, scope: Scope) -> str | None:
        """The usable token of a login in the same browser, for a page at our own address."""
        # A page of another origin could read the answers of JSONP polling (`j`), and no browser
        # says who asked for a script.
        if "j" in parse_qs(scope.get("query_string", b"").decode("latin-1")):
            return None
        remembered = await session_cookie.caller_of(scope, self._accounts)
        # Browsers send the cookie for pages of others too, so those are not believed.
        if remembered is None or not await session_cookie.is_same_origin(scope, self._hosts):
            return None
        return session_cookie.token_of(scope)

    async def _look_again_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AGAIN_INTERVAL_S)
            try:
                await self.close_expired()
            except Exception as error:
                log.warning("sockets could not be looked after: %s", translated(error).message)

    async def close_expired(self) -> None:
        """Closes the sockets whose token is no good any more."""
        for user_id in {member.user_id for member in self._members.values()}:
            await self._look_again(user_id)

    async def _look_again(self, user_id: str) -> None:
        """Closes the sockets of a user who is not let in any more; their role may have changed."""
        for sid, member in list(self._members.items()):
            if member.user_id != user_id:
                continue
            try:
                caller = await self._accounts.authenticate_socket(member.token)
            except NavigatorError:
                await self._server.disconnect(sid)
                continue
            await self._server.leave_room(sid, ADMINISTRATORS_ROOM)
            for room in rooms_of_caller(caller):
                await self._server.enter_room(sid, room)

    async def _welcome(self, sid: str) -> None:
        await self._server.emit("connected", {"message": _WELCOME}, to=sid)

    async def _emit(self, happened: asyncio.Queue[Event]) -> None:
        while True:
            event = await happened.get()
            try:
                name, payload = wire.event(event)
                await self._server.emit(name, payload, to=rooms_of_event(event))
                if isinstance(event, UserEvent):
                    await self._look_again(event.user.id)
            except Exception:
                log.exception("an event could not be sent")
