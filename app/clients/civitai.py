"""CivitAI over HTTP: models, their versions, and whether our key is taken.

The catalogue is spread over several addresses. It decides nothing about what it finds, and it
makes no sentence of what CivitAI says. The key gets into no address, log or sentence.
"""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson

from app.clients.civitai_cache import AnswerCache, Kept, lifetime_s
from app.clients.civitai_http import (
    HOST,
    SERVICE,
    CivitaiBusy,
    CivitaiHttp,
    CivitaiRefusesUs,
    Reply,
)
from app.clients.json_depth import is_too_deep
from app.clients.web_http import translated
from app.errors import InvalidInput, UpstreamFailed, UpstreamUnavailable
from app.tasks import cancel

log = logging.getLogger(__name__)

_IN_ALL_S = 40.0
_CHECK_LASTS_S = 60.0
_TROUBLE_LASTS_S = 5.0
_MAX_TARGET_CHARS = 4000
# Needs the key, and is as little as possible.
_CHECK = "models?hidden=1&limit=1"
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._~-]{0,199}", re.ASCII)

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class CivitaiAnswer:
    """Status 200, 400 or 404, and the JSON that came with it.

    `json` is an object or a list with 200; else None for what is none. `base` is the address that
    it came from. `is_stale` says that CivitAI did not answer, and this is what it said `read_at`.
    """

    status: int
    json: Any = field(repr=False)
    base: str
    read_at: datetime
    is_stale: bool = False


class CivitaiClient:
    """CivitAI, at one or several addresses.

    The next address is asked when one does not know something, and also when it cannot be reached
    or is broken: search goes on then, and nothing is said to be missing because of it. A limit
    (429) holds for all of them. Methods raise `UpstreamUnavailable` when CivitAI cannot be reached,
    takes too long or was asked too often, and `UpstreamFailed` when it answers with an error or
    nonsense, if nothing older is known.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_bases: Sequence[str],
        api_key: str | None,
        cache: AnswerCache | None = None,
        clock: Callable[[], float] = time.monotonic,
        in_all_s: float = _IN_ALL_S,
        **http: Any,
    ):
        """`api_bases` are such as `https://civitai.com/api/v1`, in the order of asking; a question
        takes `in_all_s` at most. `http` are options of `CivitaiHttp`."""
        self.api_bases = tuple(base.rstrip("/") for base in api_bases)
        self._http = CivitaiHttp(session, api_bases=self.api_bases, api_key=api_key, **http)
        self._cache = cache or AnswerCache()
        self._clock = clock
        self._in_all_s = in_all_s
        self._check: asyncio.Task[None] | None = None
        self._is_authenticated = False
        self.trouble: str | None = None
        self._checked_until_s = float("-inf")

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["CivitaiClient"]:
        """Ends what still goes on when the block ends."""
        try:
            yield self
        finally:
            if self._check is not None:
                await cancel(self._check)

    async def get(
        self, path: str, query: Iterable[tuple[str, str]] = (), *, first: int = 0
    ) -> CivitaiAnswer:
        """What CivitAI answers to `path` below its API, from memory while that is fresh.

        `first` is the index of the address to ask first. Raises `InvalidInput` for a path that is
        none, without asking.
        """
        target = _target(path, query)
        kept = self._cache.find((first, target))
        if kept is not None and self._clock() < kept.fresh_until_s:
            return _answer(kept)
        try:
            return await self._asked(first, target, kept)
        except (UpstreamFailed, UpstreamUnavailable) as error:
            if kept is None:
                raise
            log.warning("an older answer is given: %s", error.message)
            return _answer(kept, is_stale=True)

    async def model_version(self, version_id: int) -> JsonObject | None:
        """A version of a model, unchanged; None if there is none of this id."""
        return await self._version(str(version_id))

    async def model_version_by_hash(self, file_hash: str) -> JsonObject | None:
        """The version that a file of this hash (AutoV3, SHA-256 …) belongs to; None for none."""
        if not re.fullmatch(r"[0-9A-Fa-f]{1,64}", file_hash):
            return None
        return await self._version(f"by-hash/{file_hash}")

    async def is_authenticated(self) -> bool:
        """Whether CivitAI takes our key; False also while it cannot be asked (`trouble`).

        Remembered for a minute; that it cannot be asked, for some seconds. Whoever asks meanwhile,
        or goes away again, makes no more traffic.
        """
        if not self._http.has_key:
            return False
        if self._clock() >= self._checked_until_s:
            if self._check is None or self._check.done():
                self._check = asyncio.create_task(self._check_key())
            await asyncio.shield(self._check)
        return self._is_authenticated

    async def _check_key(self) -> None:
        try:
            async with self._bounded():
                _, reply = await self._from_any(0, _CHECK, None)
            self._is_authenticated, self.trouble = reply.status == 200, None
            lasts_s = _CHECK_LASTS_S
        except (UpstreamFailed, UpstreamUnavailable) as error:
            log.warning("whether CivitAI takes our key: %s", error.message)
            self._is_authenticated = False
            is_refused = isinstance(error, CivitaiRefusesUs)
            self.trouble = None if is_refused else error.message
            lasts_s = _CHECK_LASTS_S if is_refused else _TROUBLE_LASTS_S
        self._checked_until_s = self._clock() + lasts_s

    async def _version(self, name: str) -> JsonObject | None:
        answer = await self.get(f"model-versions/{name}")
        if answer.status == 404:
            return None
        if answer.status != 200 or not _is_version(answer.json):
            raise UpstreamFailed("CivitAI's answer is not a model.", service=SERVICE)
        version: JsonObject = answer.json
        return version

    @contextlib.asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        with translated(HOST, service=SERVICE):
            async with asyncio.timeout(self._in_all_s):
                yield

    async def _asked(self, first: int, target: str, kept: Kept | None) -> CivitaiAnswer:
        async with self._bounded():
            base, reply = await self._from_any(first, target, kept)
        now = datetime.now(UTC)
        if reply.status in {400, 404}:
            self._cache.drop((first, target))
            return CivitaiAnswer(reply.status, _json(reply.content), base, now)
        lasts_s = lifetime_s(reply.headers)
        until_s = self._clock() + (lasts_s or 0.0)
        if reply.status == 304:
            if kept is None:
                raise UpstreamFailed("CivitAI answered 304.", service=SERVICE)
            found = replace(kept, read_at=now, fresh_until_s=until_s)
        else:
            if not isinstance(_json(reply.content), dict | list):
                raise UpstreamFailed("CivitAI's answer is not JSON.", service=SERVICE)
            found = Kept(base, reply.content, reply.headers.get("ETag"), now, until_s)
        if lasts_s is not None:
            self._cache.keep((first, target), found)
        return _answer(found)

    async def _from_any(self, first: int, target: str, kept: Kept | None) -> tuple[str, Reply]:
        """The reply of the first address that knows it, and that address."""
        missing: list[tuple[str, Reply]] = []
        failures: list[UpstreamFailed | UpstreamUnavailable] = []
        for base in (*self.api_bases[first:], *self.api_bases[:first]):
            etag = kept.etag if kept is not None and kept.base == base else None
            try:
                reply = await self._http.asked(base, target, etag=etag)
            except (CivitaiBusy, CivitaiRefusesUs):
                raise
            except (UpstreamFailed, UpstreamUnavailable) as error:
                failures.append(error)
                continue
            if reply.status != 404:
                return base, reply
            missing.append((base, reply))
        if failures:  # what one of them does not know, the broken one may
            raise failures[0]
        return missing[0]


def checked_path(path: str) -> str:
    """`path`, if it can be one below the API. Raises `InvalidInput`.

    Nothing at CivitAI has a name that needs an escape, so there is none that could be read
    differently by somebody else: no `..`, no `//`, no `%2f`, no other host.
    """
    if not all(_SEGMENT.fullmatch(part) for part in path.split("/")):
        raise InvalidInput("The path is none of CivitAI's API, such as `models/123`.")
    return path


def _target(path: str, query: Iterable[tuple[str, str]]) -> str:
    """What comes behind the address of the API. Raises `InvalidInput`."""
    try:
        asked = urlencode(list(query))
    except UnicodeEncodeError as error:
        raise InvalidInput("The query holds half a character.") from error
    target = checked_path(path) + (f"?{asked}" if asked else "")
    if len(target) > _MAX_TARGET_CHARS:
        raise InvalidInput(f"The query is longer than {_MAX_TARGET_CHARS} characters.")
    return target


def _answer(kept: Kept, *, is_stale: bool = False) -> CivitaiAnswer:
    return CivitaiAnswer(200, _json(kept.content), kept.base, kept.read_at, is_stale)


def _is_version(told: Any) -> bool:
    """Whether it is an object with an id, and one that can be stored."""
    version_id = told.get("id") if isinstance(told, dict) else None
    return type(version_id) is int and 0 < version_id < 2**63 and not is_too_deep(told)


def _json(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
