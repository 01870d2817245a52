"""Helper tasks that end with their block. Nothing here knows what the tasks do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any

_CANCEL_AGAIN_S = 5.0  # longer than any clean-up takes


@contextlib.asynccontextmanager
async def running(coroutine: Coroutine[object, object, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Runs `coroutine` beside the block and cancels it when the block ends.

    If the task fails first, its error is raised when the block ends, unless the block itself
    raises.
    """
    task = asyncio.create_task(coroutine)
    try:
        yield task
    finally:
        await cancel(task)
        error = None if task.cancelled() else task.exception()  # or it would be logged, perhaps
    if error is not None:
        raise error


async def cancel(task: asyncio.Task[Any], *, again_s: float = _CANCEL_AGAIN_S) -> None:
    """Cancels `task` and returns when it has ended.

    Asks again after a while: `asyncio.wait_for` of Python 3.11 swallows a cancellation that comes
    at the moment at which what it waits for is done.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=again_s)
