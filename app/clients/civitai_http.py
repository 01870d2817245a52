"""One question to one of CivitAI's addresses: the key, redirects, tries, limits.

It knows neither paths nor answers, and it never sends the key to another host than those it was
given. Facts come from CivitAI's documentation of its REST API, version 1, and from contract 3.10.
"""

import asyncio
import email.utils
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
import yarl
from multidict import CIMultiDict

from app.clients.web_http import authorised, is_header_text, read_limited, translated
from app.errors import UpstreamFailed, UpstreamUnavailable

SERVICE = "civitai"
HOST = "CivitAI"
USER_AGENT = "Navigator"
MAX_ANSWER_BYTES = 8 * 1024 * 1024
_TIMEOUT_S = 15.0
_PAUSES_S = (0.5, 1.5)
_LONGEST_PAUSE_S = 5.0
_MAX_REDIRECTS = 3
_AT_ONCE = 4
_UNDERSTOOD = frozenset({200, 304, 400, 404})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

Sleep = Callable[[float], Awaitable[object]]


class CivitaiRefusesUs(UpstreamFailed):
    """CivitAI does not take our key. The message names the setting."""

    code = "CIVITAI_REFUSES_US"


class CivitaiBusy(UpstreamUnavailable):
    """CivitAI was asked too often; the header `Retry-After` says when to try again."""

    code = "CIVITAI_BUSY"


@dataclass(frozen=True)
class Reply:
    """What came back, unread: status 200, 304, 400 or 404."""

    status: int
    content: bytes = field(repr=False)
    headers: Mapping[str, str]


class CivitaiHttp:
    """The connections to all addresses of CivitAI's."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_bases: Sequence[str],
        api_key: str | None,
        timeout_s: float = _TIMEOUT_S,
        sleep: Sleep = asyncio.sleep,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ):
        """`api_bases` are such as `https://civitai.com/api/v1`; one try takes `timeout_s` at most.

        Between tries it waits with `sleep`, which takes seconds.
        """
        self._session = session
        self._bases = [yarl.URL(base.rstrip("/")) for base in api_bases]
        key = (api_key or "").strip()
        self._authorization = f"Bearer {key}" if is_header_text(key) else None
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._max_answer_bytes = max_answer_bytes
        self._few = asyncio.Semaphore(_AT_ONCE)

    @property
    def has_key(self) -> bool:
        """Whether there is a key that can be sent."""
        return self._authorization is not None

    async def asked(self, base: str, target: str, *, etag: str | None = None) -> Reply:
        """What `base` answers to a GET of `target`, such as `models?limit=2`, already escaped.

        Errors of CivitAI's own are tried again after a pause. Raises `UpstreamUnavailable` when it
        cannot be reached or takes too long (not tried again: somebody waits), `CivitaiBusy`,
        `CivitaiRefusesUs`, and `UpstreamFailed` for any other answer, a redirect to another host
        or too large a body.
        """
        url = yarl.URL(f"{base}/{target}", encoded=True)
        for pause_s in (*_PAUSES_S, None):
            reply = await self._followed(url, etag)
            if reply.status in _UNDERSTOOD:
                return reply
            if reply.status == 401:
                raise CivitaiRefusesUs(
                    "CivitAI refuses our key; check CIVITAI_API_KEY.", service=SERVICE
                )
            if reply.status != 429 and reply.status < 500:
                break
            told_s = retry_after_s(reply.headers.get("Retry-After"), now=datetime.now(UTC))
            if pause_s is None or told_s > _LONGEST_PAUSE_S:
                break
            await self._sleep(max(pause_s, told_s))
        if reply.status == 429:
            raise busy(told_s)
        raise UpstreamFailed(f"CivitAI answered {reply.status}.", service=SERVICE)

    async def _followed(self, url: yarl.URL, etag: str | None) -> Reply:
        """One try, with redirects that stay below one of the addresses."""
        for _ in range(_MAX_REDIRECTS + 1):
            reply = await self._sent(url, etag)
            if reply.status not in _REDIRECTS:
                return reply
            try:
                url = url.join(yarl.URL(reply.headers.get("Location", "")))
            except ValueError as error:
                raise _astray() from error
            if not any(_is_below(url, base) for base in self._bases):
                raise _astray()
        raise _astray()

    async def _sent(self, url: yarl.URL, etag: str | None) -> Reply:
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if etag is not None:
            headers["If-None-Match"] = etag
        with translated(HOST, service=SERVICE):
            async with (
                asyncio.timeout(self._timeout_s),
                self._few,
                self._session.get(
                    url,
                    headers=headers,
                    allow_redirects=False,
                    middlewares=(authorised(self._authorization),),
                ) as response,
            ):
                content = b""
                if response.status in _UNDERSTOOD:
                    content = await read_limited(
                        response, self._max_answer_bytes, host=HOST, service=SERVICE
                    )
                return Reply(response.status, content, CIMultiDict(response.headers))


def retry_after_s(told: str | None, *, now: datetime) -> float:
    """The seconds that a header `Retry-After` asks for, a number or a date; 0 for none."""
    if told is None:
        return 0.0
    if re.fullmatch(r"[0-9]{1,9}", told.strip()):
        return float(told)
    try:
        at = email.utils.parsedate_to_datetime(told)
    except (ValueError, OverflowError):
        return 0.0
    return max((at.astimezone(UTC) - now).total_seconds(), 0.0)


def busy(told_s: float) -> CivitaiBusy:
    """The error for a limit that holds for so many seconds."""
    wait_s = max(1, round(told_s))
    error = CivitaiBusy(
        f"CivitAI was asked too often; try again in {wait_s} seconds.", service=SERVICE
    )
    error.headers = {"Retry-After": str(wait_s)}
    return error


def _is_below(url: yarl.URL, base: yarl.URL) -> bool:
    """Whether an address is one of the API's; a lower-case `%2e%2e` was resolved by the library."""
    return (
        url.scheme in {"http", "https"}
        and url.user is None
        and url.origin() == base.origin()
        and url.path.startswith(f"{base.path}/")
        and ".." not in url.path.split("/")
    )


def _astray() -> UpstreamFailed:
    return UpstreamFailed("CivitAI sends us to another place.", service=SERVICE)
