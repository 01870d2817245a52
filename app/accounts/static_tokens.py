"""Secrets that are whole `Authorization` headers, such as the superuser token. Nobody guesses them.

A token that was issued by a login is none of them: see `tokens.py`.
"""

import hmac
from collections.abc import Mapping

from app.accounts.throttle import Throttle, key_of

_BURST = 10
_INTERVAL_S = 60.0


class StaticTokens:
    """Compares with all of them in constant time, and refuses an address that guesses."""

    def __init__(
        self,
        tokens: Mapping[str, str | None],
        guesses: Throttle | None = None,
        *,
        drawn: Mapping[str, str] | None = None,
    ):
        """`tokens` by whom they stand for; None is no token, which nobody can have.

        Those that programs have `drawn` cannot be guessed, so they work from any address: somebody
        who guesses on this machine, or through a proxy on it, must not lock the launcher out.
        """
        self._tokens = {owner: token.encode() for owner, token in tokens.items() if token}
        self._drawn = {owner: token.encode() for owner, token in (drawn or {}).items()}
        self._guesses = guesses or Throttle(burst=_BURST, interval_s=_INTERVAL_S)

    def owner_of(self, given: str, address: str | None = None) -> str | None:
        """Whose token `given` is, None if it is nobody's.

        What is not shaped like a JSON Web Token and nobody's counts as a guess from the client's
        `address`. Raises `Throttled`, without comparing, to an address that guessed too often.
        """
        content = given.encode()
        if (program := _owner(content, self._drawn)) is not None:
            return program
        key = None if address is None or not _may_be_a_guess(given) else key_of(address)
        if key is not None:
            self._guesses.refuse(key)
        owner = _owner(content, self._tokens)
        if owner is None and key is not None:
            self._guesses.count(key)
        return owner


def _owner(given: bytes, tokens: Mapping[str, bytes]) -> str | None:
    # All of them, whichever it is: the time must not tell.
    equal = [owner for owner, token in tokens.items() if hmac.compare_digest(given, token)]
    return equal[0] if equal else None


def _may_be_a_guess(given: str) -> bool:
    """Logins expire all the time and their clients do not notice at once, so those are none."""
    return bool(given.strip()) and given.count(".") != 2
