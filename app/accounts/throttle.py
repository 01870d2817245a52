"""How often one key, such as an address, may try something. Knows nothing of requests."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address

from app.errors import Throttled

_IPV6_PREFIX_BITS = 64  # what one customer gets at least, and may walk through at will


class Throttle:
    """So many attempts at once, then one per interval: a token bucket for each key.

    Of each key only the moment is kept at which its bucket will be full again; a key whose bucket
    is full is as good as unknown.
    """

    def __init__(
        self,
        *,
        burst: int,
        interval_s: float,
        max_keys: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ):
        """`burst` is at least 1. `max_keys` bounds the memory: the key that was not seen for
        longest is forgotten."""
        self._interval_s = interval_s
        self._capacity_s = burst * interval_s
        self._max_keys = max_keys
        self._clock = clock
        self._full_at_s: OrderedDict[str, float] = OrderedDict()

    @property
    def remembered(self) -> int:
        """How many keys are remembered."""
        return len(self._full_at_s)

    def check(self, key: str) -> None:
        """Counts an attempt. Raises `Throttled` instead if it is one too many."""
        self.refuse(key)
        self.count(key)

    def refuse(self, key: str) -> None:
        """Raises `Throttled` while an attempt would be one too many; counts nothing."""
        wait_s = self._missing_s(key) + self._interval_s - self._capacity_s
        # A wait of nanoseconds is the rounding of a sum, and no wait.
        if wait_s > 1e-6 * self._interval_s:
            self._full_at_s.move_to_end(key)
            raise Throttled.for_seconds(wait_s)

    def count(self, key: str) -> None:
        """Counts an attempt that was made anyway."""
        missing_s = min(self._missing_s(key) + self._interval_s, self._capacity_s)
        self._full_at_s[key] = self._clock() + missing_s
        self._full_at_s.move_to_end(key)
        while len(self._full_at_s) > self._max_keys:
            self._full_at_s.popitem(last=False)

    def _missing_s(self, key: str) -> float:
        """The seconds until the key's bucket is full; never more than a whole bucket takes."""
        full_at_s = self._full_at_s.get(key, -math.inf)
        return min(max(full_at_s - self._clock(), 0.0), self._capacity_s)


def key_of(address: str) -> str:
    """Whom an address counts for: itself, over IPv6 all of its /64; other text is itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), _IPV6_PREFIX_BITS), strict=False))
