"""Files and pictures that CivitAI names, streamed from wherever it sends us.

Every hop is checked before it is asked. The owner's key goes to the places of CIVITAI_API_BASE
alone, in a header. Addresses may hold signatures: none gets into a sentence or a log.
"""

import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import yarl

from app.clients.civitai_http import HOST, SERVICE, USER_AGENT, busy, retry_after_s
from app.clients.public_web import PublicWeb, place
from app.clients.web_http import authorised, connecting, is_header_text
from app.errors import UpstreamFailed, UpstreamUnavailable

MAX_REDIRECTS = 5
_CONNECT_S = 20.0
_SILENCE_S = 60.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RANGE = re.compile(r"bytes (\d{1,19})-\d{1,19}/(\d{1,19}|\*)", re.ASCII)


class FileRefused(UpstreamFailed):
    """CivitAI has the file, but does not give it to the owner's account."""

    code = "CIVITAI_REFUSES_FILE"


@dataclass(frozen=True)
class FileStream:
    """A body that begins. `offset` is where in the file it does, `size_bytes` is of the file."""

    offset: int
    size_bytes: int | None
    _response: aiohttp.ClientResponse

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they come. Raises `UpstreamUnavailable` when no more come, but should."""
        with _breaking():
            async for chunk in self._response.content.iter_any():
                yield chunk


class CivitaiFiles:
    """Files at the addresses that CivitAI's answers name."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        web: PublicWeb,
        *,
        api_bases: Sequence[str],
        api_key: str | None,
        silence_s: float = _SILENCE_S,
    ):
        """`session` is one of `web`. Who says nothing for `silence_s` is given up."""
        self._session = session
        self._web = web
        self._api = frozenset((yarl.URL(base).scheme, *place(yarl.URL(base))) for base in api_bases)
        key = (api_key or "").strip()
        self._authorization = f"Bearer {key}" if is_header_text(key) else None
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=_CONNECT_S, sock_connect=_CONNECT_S, sock_read=silence_s
        )

    @contextlib.asynccontextmanager
    async def open(self, url: str, *, offset: int = 0) -> AsyncIterator[FileStream]:
        """The file at `url`, from byte `offset` on if the other side can do that, else from 0.

        Raises `UpstreamUnavailable` when it cannot be had now, also for 429 and 5xx, `NotPublic`
        and `UpstreamFailed` when trying again is no use.
        """
        asked, may_know_key = _url(url), True
        for _ in range(MAX_REDIRECTS + 1):
            self._web.check(asked)
            # Whoever was sent on by a stranger is one, wherever they were sent.
            may_know_key = may_know_key and (asked.scheme, *place(asked)) in self._api
            async with self._answer(asked, offset, may_know_key) as response:
                if response.status in _REDIRECTS:
                    asked = _next(asked, response)
                elif response.status == 416 and offset > 0:
                    offset = 0  # it is shorter than what we have: begin anew
                else:
                    yield _stream(response, offset)
                    return
        raise UpstreamFailed(f"{HOST} sends us on and on.", service=SERVICE)

    @contextlib.asynccontextmanager
    async def _answer(
        self, url: yarl.URL, offset: int, may_know_key: bool
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        # Packed bodies could hold any size, and cannot be continued.
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        if offset > 0:
            headers["Range"] = f"bytes={offset}-"
        authorization = self._authorization if may_know_key else None
        with _breaking(), connecting(HOST, service=SERVICE):
            response = await self._session.get(
                url,
                headers=headers,
                allow_redirects=False,
                timeout=self._timeout,
                middlewares=(authorised(authorization),),
            )
        try:
            yield response
        finally:
            response.close()  # what was not read of it is not waited for


@contextlib.contextmanager
def _breaking() -> Iterator[None]:
    """Whatever breaks off may be taken up again."""
    try:
        yield
    except TimeoutError as error:
        raise UpstreamUnavailable(f"{HOST} stopped sending the file.", service=SERVICE) from error
    except (aiohttp.ClientError, ConnectionError, ssl.SSLError) as error:
        raise UpstreamUnavailable(f"{HOST} broke the connection.", service=SERVICE) from error


def _url(text: str) -> yarl.URL:
    """An address as it was told: a signature holds for each of its characters."""
    try:
        return yarl.URL(text, encoded=text.isascii() and text.isprintable() and " " not in text)
    except ValueError as error:
        raise _no_place() from error


def _next(url: yarl.URL, response: aiohttp.ClientResponse) -> yarl.URL:
    try:
        return url.join(_url(response.headers["Location"]))
    except (KeyError, ValueError) as error:
        raise _no_place() from error


def _no_place() -> UpstreamFailed:
    return UpstreamFailed(f"{HOST} sends us to no place of the web.", service=SERVICE)


def _stream(response: aiohttp.ClientResponse, offset: int) -> FileStream:
    """Raises what `CivitaiFiles.open` raises for an answer that is no file."""
    status = response.status
    if status in {401, 403}:
        raise FileRefused(
            "CivitAI does not give us this file. It may be for supporters only, or CIVITAI_API_KEY"
            " is of another account.",
            service=SERVICE,
        )
    if status in {404, 410}:
        raise UpstreamFailed("CivitAI does not have this file any more.", service=SERVICE)
    if status == 429:
        told = response.headers.get("Retry-After")
        raise busy(retry_after_s(told, now=datetime.now(UTC)))
    if status >= 500:
        raise UpstreamUnavailable(f"{HOST} answered {status}.", service=SERVICE)
    if status not in {200, 206}:
        raise UpstreamFailed(f"{HOST} answered {status}.", service=SERVICE)
    if response.content_type in {"text/html", "application/xhtml+xml", "application/json"}:
        raise UpstreamFailed(f"{HOST} sent a page instead of the file.", service=SERVICE)
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise UpstreamFailed(f"{HOST} sent the file packed.", service=SERVICE)
    if status == 200:
        return FileStream(0, response.content_length, response)
    told_range = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if told_range is None or int(told_range[1]) != offset:
        raise UpstreamFailed(f"{HOST} sent another part of the file.", service=SERVICE)
    total = None if told_range[2] == "*" else int(told_range[2])
    return FileStream(offset, total, response)
