"""Tokens: signing and reading them. Whether their user is let in is decided in `accounts.py`."""

import math
import time
from collections.abc import Mapping
from typing import Any

import jwt

from app.accounts.models import User
from app.errors import NotAuthenticated

ALGORITHM = "HS256"
_MAX_VERIFIED = 1000
# The texts that clients of the earlier Navigator may compare with (contract, section 2).
_REASONS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "jwt expired"),
    (jwt.InvalidSignatureError, "invalid signature"),
    (jwt.InvalidAlgorithmError, "invalid algorithm"),
    (jwt.PyJWTError, "jwt malformed"),
)


class Tokens:
    """Signs and reads JSON Web Tokens with one secret; the algorithm is pinned to HS256."""

    def __init__(self, secret_key: str, lifetime_s: float | None):
        """`lifetime_s` None means that tokens never expire."""
        self._secret_key = secret_key
        self._lifetime_s = lifetime_s
        self._verified: dict[str, Mapping[str, Any]] = {}  # a client sends its token every time

    def issue(self, user: User, *, lifetime_s: float | None = -1) -> str:
        """A token for `user`. `lifetime_s` -1 means the usual one, None no expiry."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "discord_id": user.id,
            "role": int(user.role),
            "epoch": user.token_epoch,
            "iat": now,
        }
        lifetime_s = self._lifetime_s if lifetime_s == -1 else lifetime_s
        if lifetime_s is not None:
            claims["exp"] = now + int(lifetime_s)
        return jwt.encode(claims, self._secret_key, algorithm=ALGORITHM)

    def issue_waiting(self, user_id: str) -> str:
        """Says who waits for approval in a browser. It is no login: `read` does not take it."""
        return jwt.encode({"waiting": user_id}, self._secret_key, algorithm=ALGORITHM)

    def read_waiting(self, token: str) -> str | None:
        """Who waits, None when that is not from us."""
        try:
            claims = jwt.decode(token, self._secret_key, algorithms=[ALGORITHM])
        except jwt.PyJWTError:
            return None
        user_id = claims.get("waiting")
        return user_id if isinstance(user_id, str) else None

    def read(self, token: str) -> Mapping[str, Any]:
        """The claims of `token`; `discord_id` is text and `epoch` a number.

        Raises `NotAuthenticated` when it is malformed, expired or not signed by us. Tokens
        without an epoch claim count as epoch 0.
        """
        claims = self._verified.get(token)
        if claims is None or claims.get("exp", math.inf) <= time.time():
            claims = self._verify(token)
            if len(self._verified) >= _MAX_VERIFIED:
                self._verified.clear()
            self._verified[token] = claims
        return claims

    def _verify(self, token: str) -> Mapping[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret_key,
                algorithms=[ALGORITHM],
                # A clock that was corrected backwards would log everybody out.
                options={"verify_iat": False},
            )
        except jwt.PyJWTError as error:
            reason = next(text for kind, text in _REASONS if isinstance(error, kind))
            if isinstance(error, jwt.InvalidAlgorithmError) and _is_unsigned(token):
                reason = "jwt signature is required"
            raise unusable(reason) from error
        claims.setdefault("epoch", 0)
        if not isinstance(claims.get("discord_id"), str) or not isinstance(claims["epoch"], int):
            raise unusable("jwt malformed")
        if not all(isinstance(claims.get(name, 0), int | float) for name in ("iat", "exp")):
            raise unusable("jwt malformed")
        return claims


def _is_unsigned(token: str) -> bool:
    return str(jwt.get_unverified_header(token).get("alg")).lower() == "none"


def unusable(reason: str) -> NotAuthenticated:
    """The refusal of a token, in the words old clients know."""
    return NotAuthenticated(reason, summary="Unauthorized")
