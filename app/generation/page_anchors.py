"""Where the pages of one list of pictures begin: how many pictures lie before some of them.

Plain data; reads no table. A list is in the order of keys, oldest first. An anchor is a place
between pictures, so it stays right when the picture that it was named for is removed.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime

Key = tuple[datetime, str]
"""When a picture was made (with a time zone), and its id: the total order of pictures."""


@dataclass
class PageAnchors:
    """The anchors of one list, so many pictures apart.

    `total` is the number of its pictures, None until it is known.
    """

    spacing: int
    total: int | None = None
    _keys: list[Key] = field(default_factory=list)
    _ranks: list[int] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether every picture is near an anchor or near the newest picture."""
        return self.total is not None and self.total - self.last[1] <= 2 * self.spacing

    @property
    def last(self) -> tuple[Key | None, int]:
        """The newest anchor, and how many pictures are older; (None, 0) is the beginning."""
        return (self._keys[-1], self._ranks[-1]) if self._keys else (None, 0)

    def before(self, rank: int) -> tuple[Key | None, int]:
        """The nearest anchor with at most `rank` older pictures, and their number."""
        index = bisect_right(self._ranks, rank)
        return (self._keys[index - 1], self._ranks[index - 1]) if index else (None, 0)

    def add(self, key: Key) -> None:
        """Takes a new last anchor: from the last one to it there are `spacing` pictures."""
        rank = self.last[1] + self.spacing
        self._keys.append(key)
        self._ranks.append(rank)

    def changed(self, key: Key, by: int) -> None:
        """A picture of this key was added (1) or removed (-1)."""
        if self.total is not None:
            self.total += by
        for index in range(bisect_right(self._keys, key), len(self._ranks)):
            self._ranks[index] += by
