"""Answers of CivitAI's that are kept for a while, in memory and within bounds. Sends nothing."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

MAX_ENTRIES = 500
MAX_BYTES = 32 * 1024 * 1024
_USUAL_AGE_S = 5 * 60.0
_LONGEST_AGE_S = 24 * 3600.0
_MAX_AGE = re.compile(r"max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NOT_TO_KEEP = re.compile(r"\bno-store\b", re.IGNORECASE)
_ASK_ALWAYS = re.compile(r"\bno-cache\b", re.IGNORECASE)

Key = tuple[int, str]


@dataclass(frozen=True)
class Kept:
    """An answer: which address gave it and when, and until when nobody needs to ask again.

    `fresh_until_s` is of the clock of whoever keeps it.
    """

    base: str
    content: bytes = field(repr=False)
    etag: str | None
    read_at: datetime
    fresh_until_s: float


class AnswerCache:
    """The answers that were wanted last, so many entries and bytes at most."""

    def __init__(self, *, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES):
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Key, Kept] = OrderedDict()
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """What all contents and keys take together."""
        return self._size_bytes

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: Key) -> Kept | None:
        """What is kept of it, fresh or not; it is now the one that was wanted last."""
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def keep(self, key: Key, answer: Kept) -> None:
        """Keeps it in place of an earlier one; those not wanted for longest go."""
        self.drop(key)
        self._entries[key] = answer
        self._size_bytes += _size_bytes(key, answer)
        while self._size_bytes > self._max_bytes or len(self._entries) > self._max_entries:
            self.drop(next(iter(self._entries)))

    def drop(self, key: Key) -> None:
        """Keeps nothing of it."""
        answer = self._entries.pop(key, None)
        if answer is not None:
            self._size_bytes -= _size_bytes(key, answer)


def lifetime_s(headers: Mapping[str, str]) -> float | None:
    """For how many seconds an answer with these headers is fresh; None if it may not be kept.

    `headers` are found in any case.
    """
    rule = headers.get("Cache-Control", "")
    if _NOT_TO_KEEP.search(rule):
        return None
    if _ASK_ALWAYS.search(rule):
        return 0.0
    if (told := _MAX_AGE.search(rule)) is None:
        return _USUAL_AGE_S
    age = headers.get("Age", "")
    already_s = int(age) if re.fullmatch(r"[0-9]{1,9}", age) else 0
    return min(max(float(told[1]) - already_s, 0.0), _LONGEST_AGE_S)


def _size_bytes(key: Key, answer: Kept) -> int:
    return len(answer.content) + len(key[1])
