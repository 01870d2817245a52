"""What every request passes: counting, startup window, `--api-auth`, faults, error bodies."""

import asyncio
import base64
import binascii
from collections import Counter

from aiohttp import web

from app.simulator.errors import ConnectionDropped, DetailError, ForgeError, PythonError
from app.simulator.faults import (
    AT_ARRIVAL,
    GENERATION_PATHS,
    OUT_OF_MEMORY,
    WHILE_SAMPLING,
    Fault,
    FaultKind,
)
from app.simulator.forge import Forge
from app.simulator.routes import API, OPEN_PATHS, Handler, answer


class Gate:
    """The one middleware, and the connections that a restart breaks."""

    def __init__(self, forge: Forge) -> None:
        self._forge = forge
        self._users = forge.settings.users()
        self._transports: set[asyncio.Transport] = set()
        self.calls: Counter[str] = Counter()

    def break_connections(self) -> None:
        for transport in self._transports:
            transport.abort()
        self._transports.clear()

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answers one request; all errors become the bodies that Forge sends."""
        self.calls[f"{request.method} {request.path}"] += 1
        self._remember(request)
        try:
            response = await self._pass(request, handler)
        except ForgeError as error:
            response = answer(error.body, error.status)
            response.headers.update(error.headers)
        except web.HTTPMethodNotAllowed as error:
            response = answer({"detail": "Method Not Allowed"}, 405)
            response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        except web.HTTPNotFound:
            response = answer({"detail": "Not Found"}, 404)
        except ConnectionDropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)  # goes nowhere
        self._compress(request, response)
        return response

    def _remember(self, request: web.Request) -> None:
        if request.transport is None:
            return
        if len(self._transports) >= 64:
            self._transports = {each for each in self._transports if not each.is_closing()}
        self._transports.add(request.transport)

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        path, faults = request.path, self._forge.faults
        self._forge.check_startup(path)
        self._authorise(request)
        fault = faults.take(path, AT_ARRIVAL)
        if fault is not None:
            if fault.kind is FaultKind.HTTP_500:
                raise PythonError("RuntimeError", "simulated failure")
            if fault.kind is FaultKind.JUNK_JSON:
                return web.Response(body=b'{"images": [oops', content_type="application/json")
            await asyncio.sleep(fault.delay_s)
        if path not in GENERATION_PATHS:
            fault = faults.take(path, WHILE_SAMPLING)
            if fault is not None:
                await self._strike(fault)
        return await handler(request)

    async def _strike(self, fault: Fault) -> None:
        """A fault of a run, on a path that runs nothing."""
        if fault.kind is FaultKind.HANG:
            await self._forge.faults.hang()
        elif fault.kind is FaultKind.DROP:
            raise ConnectionDropped
        elif fault.kind is FaultKind.OUT_OF_MEMORY:
            raise PythonError("OutOfMemoryError", OUT_OF_MEMORY)
        else:
            raise PythonError("RuntimeError", "simulated crash")

    def _authorise(self, request: web.Request) -> None:
        path = request.path
        known = request.match_info.http_exception is None
        if not self._users or not known or not path.startswith(API) or path in OPEN_PATHS:
            return
        kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
        detail = "Not authenticated"
        if kind.lower() == "basic":
            try:
                user, _, password = base64.b64decode(encoded).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                detail = "Invalid authentication credentials"
            else:
                if self._users.get(user) == password:
                    return
                detail = "Incorrect username or password"
        raise DetailError(401, detail, {"WWW-Authenticate": "Basic"})

    def _compress(self, request: web.Request, response: web.StreamResponse) -> None:
        """`--nowebui` compresses answers of 1000 bytes and more, the UI does not."""
        accepted = "gzip" in request.headers.get("Accept-Encoding", "")
        if not self._forge.settings.ui and accepted and (response.content_length or 0) >= 1000:
            response.enable_compression(web.ContentCoding.gzip)
