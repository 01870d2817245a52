"""The one error type of the house. Raise where the problem is known; `web` renders it."""

import math
from collections.abc import Mapping
from types import MappingProxyType


class NavigatorError(Exception):
    """What a caller did wrong or what failed, said for a human.

    `status` is the HTTP status, `code` the stable machine-readable name, `message` the sentence.
    `summary` is what old clients read in the key `message` where it differs from the sentence.
    `headers` go out with the answer.
    """

    status: int = 500
    code: str = "INTERNAL"
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, message: str, *, code: str | None = None, summary: str | None = None):
        super().__init__(message)
        self.message = message
        self.summary = summary or message
        if code is not None:
            self.code = code


class InvalidInput(NavigatorError):
    """A value that the caller sent is missing, malformed or absurd. The message names the field."""

    status = 400
    code = "INVALID_INPUT"


class NotAuthenticated(NavigatorError):
    """There is no usable token."""

    status = 401
    code = "NOT_AUTHENTICATED"


class NotApproved(NavigatorError):
    """The token is fine, its user is not let in (yet, or any more)."""

    status = 403
    code = "USER_DISABLED"


class Forbidden(NavigatorError):
    """The user is known and let in, but may not do this."""

    status = 403
    code = "FORBIDDEN"


class NotFound(NavigatorError):
    """There is no such thing, or it is somebody else's."""

    status = 404
    code = "NOT_FOUND"


class Conflict(NavigatorError):
    """It clashes with something that exists already."""

    status = 409
    code = "CONFLICT"


class TooMany(NavigatorError):
    """A limit per user is reached. The message names it."""

    status = 429
    code = "TOO_MANY"


class Throttled(TooMany):
    """Too many attempts from this address; the header `Retry-After` says when to try again."""

    code = "THROTTLED"

    @classmethod
    def for_seconds(cls, wait_s: float) -> "Throttled":
        """The refusal of an attempt that may be made again in so many seconds."""
        whole_s = max(1, math.ceil(wait_s))
        error = cls(f"Too many attempts; try again in {whole_s} seconds.")
        error.headers = {"Retry-After": str(whole_s)}
        return error


class UpstreamFailed(NavigatorError):
    """A neighbour (`service`) answered with an error, with nonsense, or broke off."""

    status = 502
    code = "UPSTREAM_FAILED"

    def __init__(self, message: str, *, service: str, code: str | None = None):
        super().__init__(message, code=code)
        self.service = service


class UpstreamUnavailable(NavigatorError):
    """A neighbour (`service`) cannot be reached, so nothing was done there."""

    status = 503
    code = "UPSTREAM_UNAVAILABLE"

    def __init__(self, message: str, *, service: str, code: str | None = None):
        super().__init__(message, code=code)
        self.service = service


class SettingsInvalid(NavigatorError):
    """A setting has an impossible value. The program ends with exit code 78 (EX_CONFIG).

    `by_name` says what is wrong with each setting, where that is known.
    """

    code = "SETTINGS_INVALID"

    def __init__(self, message: str, *, by_name: Mapping[str, str] | None = None):
        super().__init__(message)
        self.by_name = dict(by_name or {})
