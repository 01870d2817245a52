"""Discord over HTTP: who logs in, and who has an id. The only code that knows its URLs.

It decides nothing about them. Facts come from Discord's documentation of OAuth2 and of users, API
version 10, and from contract 3.2 and 3.3. Codes and tokens get into no log and no sentence.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson

from app.clients.web_http import authorised, is_header_text, read_limited, translated
from app.errors import NotAuthenticated, UpstreamFailed

log = logging.getLogger(__name__)

SERVICE = "discord"
_HOST = "Discord"
_AUTHORIZE_PATH = "/oauth2/authorize"
_PICTURES_URL = "https://cdn.discordapp.com"
_TIMEOUT_S = 10.0
_MAX_ANSWER_BYTES = 1024 * 1024
_MAX_CODE_CHARS = 1000  # real ones have thirty
_OUR_FAULT = ("invalid_client", "unauthorized_client")

JsonObject = dict[str, Any]


class DiscordRefusesUs(UpstreamFailed):
    """Discord does not take our own credentials. The message names the setting."""

    code = "DISCORD_REFUSES_US"


@dataclass(frozen=True)
class _Answer:
    """A status below 500 and the JSON that came with it, None for what is none."""

    status: int
    json: object = field(repr=False)


class DiscordClient:
    """One application at Discord.

    Every method raises `UpstreamUnavailable` when Discord cannot be reached or takes too long, and
    `UpstreamFailed` when it answers with an error or nonsense, or breaks off.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_base: str,
        client_id: str | None,
        client_secret: str | None,
        bot_token: str | None,
        timeout_s: float = _TIMEOUT_S,
    ):
        """`api_base` is such as `https://discord.com/api/v10`; a method takes `timeout_s` at most,
        however often it asks Discord."""
        self._session = session
        self._api_base = api_base.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._bot_token = bot_token
        self._timeout_s = timeout_s

    @property
    def is_configured(self) -> bool:
        """Whether people can log in through Discord."""
        return bool(self._client_id and self._client_secret)

    @property
    def has_bot(self) -> bool:
        """Whether Discord can be asked about an id."""
        return bool(self._bot_token)

    def authorize_url(self, redirect_uri: str) -> str:
        """Where Discord asks somebody whether we may know who they are.

        It sends their browser to `redirect_uri` then, with `?code=`. Only when `is_configured`.
        """
        query = {
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": "identify",
        }
        origin = self._api_base.partition("/api")[0]
        return f"{origin}{_AUTHORIZE_PATH}?{urlencode(query)}"

    async def profile_of_code(self, code: str, *, redirect_uri: str) -> JsonObject:
        """Discord's `/users/@me`, unchanged, of whom it gave this login code to.

        `redirect_uri` is the one that the login began with. Raises `NotAuthenticated` when Discord
        refuses the code, and `DiscordRefusesUs`.
        """
        if not (self._client_id and self._client_secret and _may_be_code(code)):
            raise _login_failed()
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "scope": "identify",
        }
        async with self._bounded():
            token = _token(await self._asked("POST", "/oauth2/token", form=form))
            answer = await self._asked("GET", "/users/@me", authorization=f"Bearer {token}")
        if answer.status != 200:
            raise _answered(answer.status)
        return _profile(answer.json)

    async def profile_of_id(self, user_id: str) -> JsonObject | None:
        """Discord's `/users/:id`, unchanged; None for an id that nobody has.

        Needs `has_bot`. Raises `DiscordRefusesUs`.
        """
        if not _may_be_id(user_id):
            return None
        if not is_header_text(self._bot_token):
            raise _bot_refused()
        async with self._bounded():
            answer = await self._asked(
                "GET", f"/users/{user_id}", authorization=f"Bot {self._bot_token}"
            )
        if answer.status in {400, 404}:
            return None
        if answer.status == 401:
            raise _bot_refused()
        if answer.status != 200:
            raise _answered(answer.status)
        profile = _profile(answer.json)
        if profile["id"] != user_id:
            raise _nonsense()
        return profile

    @contextlib.asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        with translated(_HOST, service=SERVICE):
            async with asyncio.timeout(self._timeout_s):
                yield

    async def _asked(
        self,
        method: str,
        path: str,
        *,
        authorization: str | None = None,
        form: Mapping[str, str] | None = None,
    ) -> _Answer:
        async with self._session.request(
            method,
            self._api_base + path,
            data=form,
            allow_redirects=False,
            middlewares=(authorised(authorization),),
        ) as response:
            if response.status == 429:
                raise UpstreamFailed(
                    "Discord was asked too often; try again in a few minutes.", service=SERVICE
                )
            if response.status >= 500:
                raise _answered(response.status)
            content = await read_limited(response, _MAX_ANSWER_BYTES, host=_HOST, service=SERVICE)
        try:
            return _Answer(response.status, orjson.loads(content))
        except orjson.JSONDecodeError:
            return _Answer(response.status, None)


def avatar_url(user_id: str, avatar: str | None) -> str | None:
    """Where the picture is whose hash stands in a profile as `avatar`; None for none."""
    if avatar is None or not _may_be_id(user_id) or not re.fullmatch(r"\w{1,64}", avatar, re.A):
        return None
    return f"{_PICTURES_URL}/avatars/{user_id}/{avatar}.png"


def _may_be_code(code: str) -> bool:
    """Whether Discord may have made it. Half of a surrogate pair cannot even be sent."""
    return 0 < len(code) <= _MAX_CODE_CHARS and not re.search("[\ud800-\udfff]", code)


def _may_be_id(user_id: str) -> bool:
    return re.fullmatch(r"[0-9]{1,20}", user_id) is not None


def _token(answer: _Answer) -> str:
    """The access token in what `/oauth2/token` answered."""
    given = answer.json if isinstance(answer.json, dict) else {}
    error = given.get("error")
    if answer.status == 401 or (answer.status >= 400 and error in _OUR_FAULT):
        raise DiscordRefusesUs(
            "Discord refuses our credentials; check DISCORD_CLIENT_ID and DISCORD_CLIENT_SECRET.",
            service=SERVICE,
        )
    if answer.status >= 400:
        if "redirect_uri" in str(given.get("error_description")):
            log.warning(
                "Discord does not know the address that logins come back to: check "
                "DISCORD_REDIRECT_URI and the redirects of the application at Discord"
            )
        elif error != "invalid_grant":
            log.warning("Discord answered %d to a login code", answer.status)
        raise _login_failed()
    token = given.get("access_token")
    if answer.status != 200:
        raise _answered(answer.status)
    if not is_header_text(token):
        raise UpstreamFailed("Discord gave us no token.", service=SERVICE)
    return token


def _profile(answer: object) -> JsonObject:
    if not isinstance(answer, dict):
        raise _nonsense()
    user_id, optional = answer.get("id"), (answer.get("global_name"), answer.get("avatar"))
    if not (isinstance(user_id, str) and _may_be_id(user_id)):
        raise _nonsense()
    if not isinstance(answer.get("username"), str):
        raise _nonsense()
    if not all(value is None or isinstance(value, str) for value in optional):
        raise _nonsense()
    return answer


def _login_failed() -> NotAuthenticated:
    return NotAuthenticated("Authentication through Discord failed", code="LOGIN_FAILED")


def _bot_refused() -> DiscordRefusesUs:
    return DiscordRefusesUs("Discord refuses our bot; check DISCORD_BOT_TOKEN.", service=SERVICE)


def _answered(status: int) -> UpstreamFailed:
    return UpstreamFailed(f"Discord answered {status}.", service=SERVICE)


def _nonsense() -> UpstreamFailed:
    return UpstreamFailed("Discord's answer is not a profile.", service=SERVICE)
