"""A Discord that knows OAuth2 and users, and the receiver of a webhook.

Written from Discord's documentation, and after the one that the contract was recorded with: the
code `XYZ` is the tester's, `USER:<id>:<name>` that user's, as often as it is used.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson
from aiohttp import web

from tests.fakes.serving import Fault, served

TESTER_ID = "100000000000000001"
CLIENT_ID = "200000000000000000"
CLIENT_SECRET = "client-secret-of-tests"
BOT_TOKEN = "bot-token-of-tests"
TOKEN_PATH = "/oauth2/token"
AUTHORIZE_PATH = "/oauth2/authorize"
ME_PATH = "/users/@me"
_API = "/api/v10"


@dataclass(frozen=True)
class Asked:
    """One request. `form` is empty unless it was one."""

    method: str
    path: str  # below `/api/v10`
    headers: Mapping[str, str]
    form: Mapping[str, str]


def profile(user_id: str, username: str, global_name: str | None) -> dict[str, Any]:
    """What Discord tells of a user, with the keys of contract [027]."""
    return {
        "id": user_id,
        "username": username,
        "avatar": None,
        "discriminator": "0",
        "public_flags": 0,
        "flags": 0,
        "banner": None,
        "accent_color": None,
        "global_name": global_name,
        "avatar_decoration_data": None,
        "collectibles": None,
        "banner_color": None,
        "clan": None,
        "primary_guild": None,
        "mfa_enabled": True,
        "locale": "en-US",
        "premium_type": 0,
    }


@dataclass
class FakeDiscord:
    """What it knows, what it does wrong, and what it was asked.

    `faults` says by path what is answered there; `users` are further profiles by their ids. Any
    other id of 17 digits or more belongs to somebody, as in contract [316].
    """

    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    bot_token: str = BOT_TOKEN
    redirect_uri: str | None = None  # None for any
    consenting: str = "XYZ"  # the code of whoever logs in with a browser
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)
    url: str = ""
    _logins: dict[str, dict[str, Any]] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["FakeDiscord"]:
        """Answers at `url`, which is what `DISCORD_API_BASE` has to be."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        async with served(app) as origin:
            self.url = origin + _API
            yield self

    def asked(self, path: str) -> list[Asked]:
        """The requests for this path."""
        return [request for request in self.requests if request.path == path]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(_API)
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.requests.append(Asked(request.method, path, dict(request.headers), form))
        if (fault := self.faults.get(path)) is not None:
            return await fault.answer(request)
        if path == AUTHORIZE_PATH:
            return self._consent(request.query)
        authorization = request.headers.get("Authorization", "")
        if (request.method, path) == ("POST", TOKEN_PATH):
            return self._exchange(form, authorization)
        if (request.method, path) == ("GET", ME_PATH):
            login = self._logins.get(authorization.removeprefix("Bearer "))
            return _unauthorized() if login is None else web.json_response(login)
        if request.method == "GET" and path.startswith("/users/"):
            if authorization != f"Bot {self.bot_token}":
                return _unauthorized()
            return self._user(path.removeprefix("/users/"))
        return web.json_response({"message": "404: Not Found", "code": 0}, status=404)

    def _consent(self, query: Mapping[str, str]) -> web.StreamResponse:
        """As somebody who agrees at once: sends their browser back with a code."""
        answer = {"code": self.consenting, "state": query.get("state", "")}
        raise web.HTTPFound(f"{query['redirect_uri']}/?{urlencode(answer)}")

    def _exchange(self, form: Mapping[str, str], authorization: str) -> web.Response:
        ours = (form.get("client_id"), form.get("client_secret"))
        if authorization or ours != (self.client_id, self.client_secret):
            return web.json_response({"error": "invalid_client"}, status=401)
        if self.redirect_uri not in {None, form.get("redirect_uri")}:
            return _invalid("invalid_request", "redirect_uri")
        found = self._profile_of_code(form.get("code", ""))
        if found is None or form.get("grant_type") != "authorization_code":
            return _invalid("invalid_grant", "code")
        token = f"access-token-{len(self._logins)}"
        self._logins[token] = found
        answer = {"token_type": "Bearer", "access_token": token, "expires_in": 604800}
        return web.json_response(answer | {"refresh_token": "refresh-token", "scope": "identify"})

    def _profile_of_code(self, code: str) -> dict[str, Any] | None:
        if code == "XYZ":
            return self._known(TESTER_ID)
        kind, _, rest = code.partition(":")
        user_id, _, name = rest.partition(":")
        if kind != "USER":
            return None
        name = name or f"user{user_id[-4:]}"
        return self.users.get(user_id) or profile(user_id, name, name)

    def _known(self, user_id: str) -> dict[str, Any]:
        if user_id in self.users:
            return self.users[user_id]
        if user_id == TESTER_ID:
            return profile(user_id, "tester", "Test Er")
        return profile(user_id, f"user{user_id[-4:]}", f"User {user_id[-4:]}")

    def _user(self, user_id: str) -> web.Response:
        if not user_id.isdigit() or int(user_id) >= 2**63:
            problem = {"message": "Invalid Form Body", "code": 50035}
            return web.json_response(problem, status=400)
        if len(user_id) < 17 and user_id not in self.users:
            return web.json_response({"message": "Unknown User", "code": 10013}, status=404)
        return web.json_response(self._known(user_id))


@dataclass
class FakeWebhook:
    """Takes messages, after one answer of `faults` for each request until there are none left."""

    faults: list[Fault] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["FakeWebhook"]:
        """Answers at `url`, which is what `NOTIFY_WEBHOOK_URL` has to be."""
        app = web.Application()
        app.router.add_post("/api/webhooks/{id}/{token}", self._handle)
        async with served(app) as origin:
            self.url = f"{origin}/api/webhooks/300000000000000000/webhook-token-of-tests"
            yield self

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        self.requests.append(request)
        if self.faults:
            return await self.faults.pop(0).answer(request)
        self.messages.append(orjson.loads(content))
        return web.Response(status=204)


def _invalid(error: str, field_name: str) -> web.Response:
    description = f'Invalid "{field_name}" in request.'
    return web.json_response({"error": error, "error_description": description}, status=400)


def _unauthorized() -> web.Response:
    return web.json_response({"message": "401: Unauthorized", "code": 0}, status=401)
