"""One webhook of the owner's: short messages to a chat, in the form that Discord's webhooks take.

Facts come from Discord's documentation, "Execute Webhook" and "Rate Limits". The address of a
webhook is a secret and gets into no log and no sentence.
"""

import asyncio
import math
import re
import unicodedata
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from app.clients.web_http import authorised, translated
from app.errors import UpstreamFailed, UpstreamUnavailable

SERVICE = "webhook"
_HOST = "The webhook"
_TIMEOUT_S = 10.0
_PAUSES_S = (1.0, 5.0, 25.0)  # between four tries
_LONGEST_PAUSE_S = 60.0
_MAX_SENTENCE_CHARS = 900  # 1800 when all of it is escaped, of Discord's 2000
_MAX_NAME_CHARS = 200  # of Discord's 256
_MAX_ADDRESS_CHARS = 2000
# Discord reads a backslash before any mark as "not Markdown". `@` and `<` begin mentions, `:` and
# `/` make a link or an invitation out of a name.
_MARKDOWN = re.compile(r"[\\*_~`|<>#\[\]@:/-]")
# What turns the reading direction around would turn the whole sentence.
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = {"Cc", "Cs", "Zl", "Zp"}


class WebhookRefuses(UpstreamFailed):
    """Asking again does not help: the webhook is gone, or wants something else."""

    code = "WEBHOOK_REFUSES"


class _TooOften(UpstreamFailed):
    """The other side wants peace for `pause_s` seconds."""

    def __init__(self, pause_s: float):
        super().__init__("The webhook was used too often.", service=SERVICE)
        self.pause_s = pause_s


class Webhook:
    """Sends messages to one address."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        timeout_s: float = _TIMEOUT_S,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ):
        """A try takes `timeout_s` at most; `sleep` waits between tries, for so many seconds."""
        self._session = session
        self._url = url
        self._timeout_s = timeout_s
        self._sleep = sleep
        # Only a password that stands in the address is for the webhook.
        self._middlewares = () if urlsplit(url).username else (authorised(None),)

    async def send(self, sentence: str, *, name: str, avatar_url: str | None) -> None:
        """Sends `sentence` as plain text, with name and picture of whom it is about, if there is
        a picture.

        Tries up to four times; who is not heard may be sent twice. Raises `UpstreamUnavailable` or
        `UpstreamFailed` in the end, or `WebhookRefuses` at once.
        """
        content = orjson.dumps(_message(sentence, name=name, avatar_url=avatar_url))
        for pause_s in _PAUSES_S:
            try:
                return await self._try(content)
            except WebhookRefuses:
                raise
            except (UpstreamFailed, UpstreamUnavailable) as error:
                asked_s = error.pause_s if isinstance(error, _TooOften) else 0.0
            await self._sleep(min(max(pause_s, asked_s), _LONGEST_PAUSE_S))
        return await self._try(content)

    async def _try(self, content: bytes) -> None:
        with translated(_HOST, service=SERVICE):
            async with (
                asyncio.timeout(self._timeout_s),
                self._session.post(
                    self._url,
                    data=content,
                    headers={"Content-Type": "application/json"},
                    allow_redirects=False,
                    middlewares=self._middlewares,
                ) as response,
            ):
                status, retry_after = response.status, response.headers.get("Retry-After", "")
        if status == 429:
            raise _TooOften(_seconds(retry_after))
        if status >= 500:
            raise UpstreamFailed(f"The webhook answered {status}.", service=SERVICE)
        if not 200 <= status < 300:
            raise WebhookRefuses(
                f"The webhook refuses our message with {status}; check NOTIFY_WEBHOOK_URL.",
                service=SERVICE,
            )


def _message(sentence: str, *, name: str, avatar_url: str | None) -> dict[str, Any]:
    message: dict[str, Any] = {
        "content": _MARKDOWN.sub(r"\\\g<0>", _line(sentence, _MAX_SENTENCE_CHARS)),
        "allowed_mentions": {"parse": []},
    }
    if avatar_url is not None and len(avatar_url) <= _MAX_ADDRESS_CHARS:
        # A name that is empty would have the whole message refused.
        author = {"name": _line(name, _MAX_NAME_CHARS) or "?", "icon_url": avatar_url}
        message["embeds"] = [{"author": author}]
    return message


def _line(text: str, max_chars: int) -> str:
    """`text` in one line that reads in its own direction, cut if it is longer than that."""
    shown = "".join(
        " " if unicodedata.category(character) in _INVISIBLE else character
        for character in _DIRECTIONS.sub("", text[: 4 * max_chars])
    )
    words = " ".join(shown.split())
    return words if len(words) <= max_chars else words[: max_chars - 1] + "…"


def _seconds(retry_after: str) -> float:
    """What a header `Retry-After` asks for; 0 for a date or nonsense."""
    try:
        asked_s = float(retry_after)
    except ValueError:
        return 0.0
    return asked_s if math.isfinite(asked_s) else 0.0
