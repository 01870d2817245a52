"""One container registry as an HTTP server: connections, anonymous tokens, and every way to fail.

Nothing above sees an exception of the HTTP library. Source: OCI distribution specification 1.1;
for tokens, Docker's "Token Authentication Specification".
"""

import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from urllib.request import parse_http_list, parse_keqv_list

import aiohttp
import orjson
from aiohttp import hdrs
from yarl import URL

from app.clients.oci_manifest import SERVICE
from app.clients.web_http import connecting, is_header_text, read_limited
from app.errors import InvalidInput, NotFound, UpstreamFailed

_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=20, sock_read=60)
_MAX_REDIRECTS = 5
_MAX_TOKEN_BYTES = 1024 * 1024


class BrokenOff(UpstreamFailed):
    """The answer ended too early, or the server had a bad moment: asking again may help."""


def registry_session() -> aiohttp.ClientSession:
    """The connections to registries, through the proxy of the environment; close them at the end.

    Nothing is decompressed on the way: digests are those of the bytes that are stored there.
    """
    return aiohttp.ClientSession(
        trust_env=True,
        timeout=_TIMEOUT,
        auto_decompress=False,
        headers={hdrs.ACCEPT_ENCODING: "identity"},
    )


class RegistryHttp:
    """Sends requests about one repository. Raises as `Registry` does."""

    def __init__(self, session: aiohttp.ClientSession, url: str, repository: str):
        """`url` is the registry's address without `/v2`. Raises `InvalidInput` for an odd one."""
        self._session = session
        self._repository = repository
        self._token: str | None = None
        try:
            self._root = URL(url.rstrip("/"))
            self._origin = self._root.origin()
        except ValueError as error:
            raise InvalidInput("The address of the registry is not one.") from error
        if self._root.scheme not in {"http", "https"}:
            raise InvalidInput("The address of the registry begins with neither http nor https.")
        if self._root.user or self._root.query_string or self._root.fragment:
            raise InvalidInput("The address of the registry has more than host, port and path.")

    @property
    def host(self) -> str:
        """The registry's name for people, with its port if that is unusual."""
        return self._root.authority

    @contextlib.asynccontextmanager
    async def get(
        self, path: str, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a GET of `path` in the repository, whatever its status.

        Redirects are followed. OSError of anything but the connection passes through.
        """
        # Joined to what the address of a mirror may have as its path.
        url = self._root.joinpath("v2", *self._repository.split("/"), *path.split("/"))
        with _translated(self.host):
            async with self._session.get(
                url, headers=headers, max_redirects=_MAX_REDIRECTS, middlewares=(self._authorised,)
            ) as response:
                yield response

    def refusal(self, response: aiohttp.ClientResponse, missing: str) -> NotFound | UpstreamFailed:
        """The error for a status that is none of success; `missing` says what is not there."""
        # Registries do not tell apart what does not exist and what is not public.
        if response.status in {401, 403, 404}:
            return NotFound(missing)
        if response.status == 429:
            return UpstreamFailed(
                f"{self.host} was asked too often; try again later.", service=SERVICE
            )
        kind = BrokenOff if response.status >= 500 else UpstreamFailed
        return kind(f"{self.host} answered {response.status}.", service=SERVICE)

    async def _authorised(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Adds our token to what goes to the registry; gets one when it asks for it.

        Called for each hop of a redirect: where a blob really lies must not see the token.
        """
        if request.url.origin() != self._origin:
            return await send(request)
        if self._token is not None:
            request.headers[hdrs.AUTHORIZATION] = f"Bearer {self._token}"
        response = await send(request)
        challenge = _bearer_challenge(response) if response.status == 401 else None
        if challenge is None:
            return response
        response.close()
        self._token = await self._new_token(challenge)
        request.headers[hdrs.AUTHORIZATION] = f"Bearer {self._token}"
        return await send(request)

    async def _new_token(self, challenge: Mapping[str, str]) -> str:
        asked = {"scope": challenge.get("scope") or f"repository:{self._repository}:pull"}
        if "service" in challenge:
            asked["service"] = challenge["service"]
        async with self._session.get(
            challenge["realm"], params=asked, max_redirects=_MAX_REDIRECTS
        ) as response:
            if response.status != 200:
                raise self.refusal(response, f"{self.host} has no such public image.")
            content = await read_limited(
                response, _MAX_TOKEN_BYTES, host=self.host, service=SERVICE
            )
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            answer = None
        given = answer if isinstance(answer, dict) else {}
        token = given.get("token") or given.get("access_token")
        if not is_header_text(token):
            raise UpstreamFailed(f"{self.host} gave us no token.", service=SERVICE)
        return token


def _bearer_challenge(response: aiohttp.ClientResponse) -> dict[str, str] | None:
    """Where to get a token: `realm`, and perhaps `service` and `scope`."""
    for header in response.headers.getall(hdrs.WWW_AUTHENTICATE, []):
        kind, _, rest = header.strip().partition(" ")
        if kind.lower() == "bearer":
            challenge = parse_keqv_list([pair for pair in parse_http_list(rest) if "=" in pair])
            if challenge.get("realm", "").startswith(("https://", "http://")):
                return challenge
    return None


@contextlib.contextmanager
def _translated(host: str) -> Iterator[None]:
    try:
        with connecting(host, service=SERVICE):
            yield
    except TimeoutError as error:
        raise BrokenOff(f"{host} took too long to answer.", service=SERVICE) from error
    # Not every OSError: one of the file that is written is none of the registry's.
    except (aiohttp.ClientError, ConnectionError, ssl.SSLError) as error:
        raise BrokenOff(f"{host} broke the connection.", service=SERVICE) from error
