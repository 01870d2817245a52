"""Says of answers from Forge's lists when those were read, while Forge is away."""

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from quart import after_this_request
from quart.typing import ResponseTypes

from app.web.services import services

P = ParamSpec("P")
R = TypeVar("R")

STALE = {"X-Navigator-Stale": "When the list was read, if Forge is away or the list is old."}


def from_forge(handler: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Marks the answer with `X-Navigator-Stale` while Forge is away: when its lists were read."""

    @functools.wraps(handler)
    async def marked(*args: P.args, **kwargs: P.kwargs) -> R:
        answer = await handler(*args, **kwargs)
        use = services()
        if use.catalogue.is_stale or not use.health.is_ready:
            read_at = use.catalogue.read_at
            told = read_at.isoformat(timespec="seconds") if read_at else "unknown"

            @after_this_request
            async def mark(response: ResponseTypes) -> ResponseTypes:
                response.headers["X-Navigator-Stale"] = told
                return response

        return answer

    return marked
