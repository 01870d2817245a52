"""Whether Forge answers. A port that is open, or a process that lives, proves nothing.

Facts: forge-recordings README, sections 1, 3 and 11.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable

import aiohttp

from launcher.settings import ForgeAddress

_OPTIONS = "/sdapi/v1/options"
_LORAS = "/sdapi/v1/loras"
_PROGRESS = "/sdapi/v1/progress?skip_current_image=true"
_TIMEOUT_S = 5.0
# `loras` answers 404 for up to a second after `options` works; forks without it do for ever.
_LORAS_GRACE_S = 15.0


class ForgeProbe:
    """Asks one Forge."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        address: ForgeAddress,
        *,
        timeout_s: float = _TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._session = session
        self.address = address
        self._timeout_s = timeout_s
        self._clock = clock
        self._answers_since_s: float | None = None
        self.refuses_us = False  # at the last `is_ready`: it wants another login

    async def answers(self) -> bool:
        """Whether there is a Forge with its API, perhaps one that is busy starting."""
        return await self._status(_OPTIONS) in {200, 401, 500}

    async def is_ready(self) -> bool:
        """Whether it can draw."""
        status = await self._status(_OPTIONS)
        self.refuses_us = status == 401
        # `options` answers 500 for ever once one has a value of the wrong type; it draws anyhow.
        if status not in {200, 500}:
            self._answers_since_s = None
            return False
        now_s = self._clock()
        if self._answers_since_s is None:
            self._answers_since_s = now_s
        status = await self._status(_LORAS)
        is_fork = status == 404 and now_s - self._answers_since_s >= _LORAS_GRACE_S
        return status == 200 or is_fork

    async def draws(self) -> bool:
        """Whether it draws or loads for anybody, also by hand. False while it does not answer.

        A failed upscale by hand looks like one that is done until the next run [section 5].
        """
        _, content = await self._answer(_PROGRESS)
        try:
            told = json.loads(content)
            return bool(told["state"]["job_count"]) and float(told["progress"]) < 1
        except (ValueError, TypeError, KeyError):
            return False

    async def _status(self, path: str) -> int | None:
        """The status of an answer that can be Forge's; None for none."""
        status, content = await self._answer(path)
        return status if status is not None and _is_forges(status, content) else None

    async def _answer(self, path: str) -> tuple[int | None, bytes]:
        user, _, password = (self.address.auth or "").partition(":")
        headers = {}
        if user:
            headers["Authorization"] = aiohttp.encode_basic_auth(user, password)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with (
                asyncio.timeout(self._timeout_s),
                self._session.get(
                    f"{self.address.url}{path}", headers=headers, allow_redirects=False
                ) as answer,
            ):
                return answer.status, await answer.read()
        return None, b""


def _is_forges(status: int, content: bytes) -> bool:
    """Whether it can be of Forge's API, which has a `detail` in each of its refusals."""
    try:
        told = json.loads(content)
    except ValueError:
        return False
    return status < 400 or (isinstance(told, dict) and "detail" in told)
