"""One Forge as an HTTP server: connections, credentials, time limits, and every way to fail.

Nothing above sees an exception of the HTTP library. Large bodies are read and written off the
event loop.
"""

import asyncio
import base64
import binascii
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import aiohttp
import orjson

from app.errors import UpstreamFailed, UpstreamUnavailable

SERVICE = "forge"
CALL_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)
_KEPT_ALIVE_S = 2.0
_LARGE_BYTES = 64 * 1024
_MAX_ANSWER_BYTES = 512 * 1024 * 1024
_MAX_MESSAGE_CHARS = 300
_JUNK = object()

JsonObject = dict[str, Any]


class MissingRoute(UpstreamFailed):
    """Forge has no such route (404): another fork, `--nowebui`, or it is still starting."""

    code = "UPSTREAM_MISSING_ROUTE"


class ForgeBroken(UpstreamFailed):
    """Forge answered 500: it runs, but could not do this."""

    code = "FORGE_BROKEN"


def forge_session() -> aiohttp.ClientSession:
    """The connections to Forge; close them at the end.

    Forge's server closes a connection that was idle for 5 seconds (uvicorn's default). We do so
    long before: a request sent into a connection that is being closed fails, nobody knows whether
    Forge took it, and a job would count an attempt that never was.
    """
    connector = aiohttp.TCPConnector(keepalive_timeout=_KEPT_ALIVE_S)
    return aiohttp.ClientSession(connector=connector)


class ForgeHttp:
    """Sends requests to one Forge. Raises `UpstreamUnavailable` when nothing answers there, and
    `UpstreamFailed` when the answer is an error, nonsense, or breaks off."""

    def __init__(self, session: aiohttp.ClientSession, *, auth: str | None):
        """`auth` is `user:password`, for a Forge with `--api-auth`."""
        self._session = session
        user, _, password = (auth or "").partition(":")
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)} if auth else {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: Mapping[str, Any] | None = None,
        timeout: aiohttp.ClientTimeout = CALL_TIMEOUT,
    ) -> object:
        """The answer's JSON. Raises `MissingRoute` at 404."""
        data = None if body is None else await _encoded(body)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        async with (
            _translated(),
            self._session.request(
                method,
                url,
                data=data,
                timeout=timeout,
                headers=self._headers | sent,
                allow_redirects=False,
            ) as response,
        ):
            if (response.content_length or 0) > _MAX_ANSWER_BYTES:
                raise UpstreamFailed("Forge's answer is too large.", service=SERVICE)
            content = await response.read()
        answer = await _parsed(content)
        if response.status == 404:
            raise MissingRoute(f"Forge has no route {response.url.path}.", service=SERVICE)
        if response.status in {401, 403}:
            raise UpstreamFailed(
                "Forge refuses our credentials; check SD_API_AUTH.",
                service=SERVICE,
                code="FORGE_AUTH_FAILED",
            )
        if response.status != 200:
            kind = ForgeBroken if response.status == 500 else UpstreamFailed
            raise kind(f"Forge answered {response.status}: {_message(answer)}", service=SERVICE)
        if answer is _JUNK:
            raise UpstreamFailed("Forge's answer is not JSON.", service=SERVICE)
        return answer


async def _parsed(content: bytes) -> object:
    try:
        if len(content) > _LARGE_BYTES:
            return await asyncio.to_thread(orjson.loads, content)
        return orjson.loads(content) if content else None
    except orjson.JSONDecodeError:
        return _JUNK


async def _encoded(body: Mapping[str, Any]) -> bytes:
    # Initial images stand in a list.
    values = [
        one for value in body.values() for one in (value if isinstance(value, list) else [value])
    ]
    if any(isinstance(value, str) and len(value) > _LARGE_BYTES for value in values):
        return await asyncio.to_thread(orjson.dumps, body)
    return orjson.dumps(body)


async def decoded(image: object) -> bytes | None:
    """Bytes of a picture given as base64 or as a data URI; None for none."""
    if image is None:
        return None
    if not isinstance(image, str):
        raise TypeError("a picture is not text")
    text = image.partition(",")[2] if image.startswith("data:") else image
    if len(text) > _LARGE_BYTES:
        return await asyncio.to_thread(base64.b64decode, text, validate=True)
    return base64.b64decode(text, validate=True)


def _message(answer: object) -> str:
    """The reason in an error body, short: an unpatched Forge repeats a whole picture in it."""
    if not isinstance(answer, dict):
        return "no reason given"
    reason = answer.get("detail") or answer.get("message") or ""
    if isinstance(reason, list):  # of what is wrong with a request; `input` repeats its prompt
        problems = [item for item in reason if isinstance(item, dict)]
        reason = [{key: item[key] for key in item if key != "input"} for item in problems]
    text = reason if isinstance(reason, str) else orjson.dumps(reason).decode()
    kind = answer.get("error")
    words = " ".join(part for part in (str(kind) if kind else "", text) if part)
    if len(words) > _MAX_MESSAGE_CHARS:
        words = words[: _MAX_MESSAGE_CHARS - 1] + "…"
    return words or "no reason given"


@contextlib.contextmanager
def well_formed() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise UpstreamFailed("Forge's answer has an unexpected shape.", service=SERVICE) from error


@contextlib.asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise UpstreamUnavailable("Forge does not answer.", service=SERVICE) from error
    except TimeoutError as error:
        raise UpstreamFailed("Forge took too long to answer.", service=SERVICE) from error
    except ValueError as error:  # a host name that cannot be one, for instance
        raise UpstreamUnavailable(
            "Forge cannot be asked; check SD_API_HOST.", service=SERVICE
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        raise UpstreamFailed("Forge broke the connection.", service=SERVICE) from error


def json_object(answer: object) -> JsonObject:
    if not isinstance(answer, dict):
        raise UpstreamFailed("Forge's answer is not an object.", service=SERVICE)
    return answer


def json_objects(answer: object) -> list[JsonObject]:
    if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
        raise UpstreamFailed("Forge's answer is not a list.", service=SERVICE)
    return answer
