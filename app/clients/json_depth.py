"""How deeply JSON of somebody else's is nested: writers and databases bear less than readers."""

from typing import Any

MAX_LEVELS = 25  # MariaDB stores 32 levels, orjson writes 254 and reads 1024


def is_too_deep(value: Any, levels: int = MAX_LEVELS) -> bool:
    """Whether it has more levels of lists and objects than that."""
    level = [value]
    for _ in range(levels + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
