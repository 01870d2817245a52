"""What all clients of the public web share: connections through the proxy, bounded answers, and
what people read when a host cannot be reached. Knows none of the third parties."""

import contextlib
import ssl
from collections.abc import Iterator
from typing import TypeGuard

import aiohttp
from aiohttp import hdrs

from app.errors import UpstreamFailed, UpstreamUnavailable


def web_session() -> aiohttp.ClientSession:
    """The connections to the web, through the proxy of the environment; close them at the end.

    Cookies are not kept: nothing that one user's login left behind goes along with another's.
    """
    return aiohttp.ClientSession(trust_env=True, cookie_jar=aiohttp.DummyCookieJar())


def authorised(authorization: str | None) -> aiohttp.ClientMiddlewareType:
    """Sends a request with this header `Authorization`, or with none.

    With the proxy, the environment also brings passwords for other programs (`.netrc`), which are
    nobody's business here. The library refuses to replace them by a header of ours.
    """

    async def sent(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.headers.pop(hdrs.AUTHORIZATION, None)
        if authorization is not None:
            request.headers[hdrs.AUTHORIZATION] = authorization
        return await send(request)

    return sent


def is_header_text(text: object) -> TypeGuard[str]:
    """Whether a token or the like may stand in a header."""
    return isinstance(text, str) and text != "" and text.isascii() and text.isprintable()


async def read_limited(
    response: aiohttp.ClientResponse, limit_bytes: int, *, host: str, service: str
) -> bytes:
    """The whole body. Raises `UpstreamFailed` when it is larger than that."""
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > limit_bytes:
            raise UpstreamFailed(f"The answer of {host} is too large.", service=service)
    return bytes(content)


@contextlib.contextmanager
def connecting(host: str, *, service: str) -> Iterator[None]:
    """Raises `UpstreamUnavailable` or `UpstreamFailed` when no connection comes about.

    `host` is named to people where the library does not tell which one it was. Errors of a
    connection that stood pass through, also the time limit.
    """
    try:
        yield
    except aiohttp.ClientConnectorCertificateError as error:
        raise UpstreamFailed(
            f"The certificate of {error.host} cannot be trusted.", service=service
        ) from error
    except aiohttp.ClientConnectorSSLError as error:
        raise UpstreamFailed(f"{error.host} does not speak TLS.", service=service) from error
    except aiohttp.ClientProxyConnectionError as error:
        raise UpstreamUnavailable("The proxy cannot be reached.", service=service) from error
    except aiohttp.ClientHttpProxyError as error:
        raise UpstreamUnavailable(
            f"The proxy refuses with {error.status}.", service=service
        ) from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        unreachable = getattr(error, "host", host)
        raise UpstreamUnavailable(
            f"{unreachable} cannot be reached; is this computer online?", service=service
        ) from error
    except (aiohttp.TooManyRedirects, aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise UpstreamFailed(f"{host} sends us to no place.", service=service) from error


@contextlib.contextmanager
def translated(host: str, *, service: str) -> Iterator[None]:
    """Like `connecting`, for the whole of a short exchange.

    Raises `UpstreamUnavailable` when its time is over, `UpstreamFailed` when it breaks off.
    """
    try:
        with connecting(host, service=service):
            yield
    except TimeoutError as error:
        raise UpstreamUnavailable(f"{host} took too long to answer.", service=service) from error
    except (aiohttp.ClientError, ConnectionError, ssl.SSLError) as error:
        raise UpstreamFailed(f"{host} broke the connection.", service=service) from error
