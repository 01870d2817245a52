"""Waiting in tests: poll for a condition, never sleep for a guessed time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

POLL_INTERVAL_S = 0.005
# Only what never comes true waits so long; a busy machine may be a few seconds late.
LIMIT_S = 30.0


async def until(
    condition: Callable[[], object | Awaitable[object]], timeout_s: float = LIMIT_S
) -> None:
    """Returns as soon as the condition is true; raises AssertionError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return
        if time.monotonic() >= deadline:
            raise AssertionError(
                f"not true within {timeout_s} s, last value {value!r}: {_described(condition)}"
            )
        await asyncio.sleep(POLL_INTERVAL_S)


def _described(condition: Callable[[], object]) -> str:
    try:
        return inspect.getsource(condition).strip()
    except (OSError, TypeError):
        return repr(condition)
