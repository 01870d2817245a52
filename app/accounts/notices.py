"""Tells the owner over a webhook who waits for approval. Nobody ever waits for it, and what could
not be sent is not kept: who waits stands in the table of users."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from app.clients.discord import avatar_url
from app.clients.webhook import Webhook
from app.errors import UpstreamFailed, UpstreamUnavailable
from app.events import Event, EventBus, UserPending, UserSnapshot
from app.tasks import running

log = logging.getLogger(__name__)

_CAPACITY = 100
_MAX_NAME_CHARS = 80


class Notices:
    """One webhook that hears of everybody who knocks."""

    def __init__(self, webhook: Webhook, *, capacity: int = _CAPACITY):
        """At most `capacity` messages wait to be sent; what comes on top is left out."""
        self._webhook = webhook
        self._capacity = capacity

    @contextlib.asynccontextmanager
    async def sending(self, events: EventBus) -> AsyncIterator[None]:
        """Sends a message for every `UserPending` that is published while the block runs.

        What is not sent when the block ends is left out.
        """
        waiting: asyncio.Queue[UserSnapshot] = asyncio.Queue(self._capacity)
        # Two tasks: the bus also tells of every step of every job, and its queue has no bound.
        async with (
            events.subscribed() as heard,
            running(_collect(heard, waiting)),
            running(self._send(waiting)),
        ):
            yield

    async def _send(self, waiting: asyncio.Queue[UserSnapshot]) -> None:
        while True:
            user = await waiting.get()
            try:
                await self._webhook.send(
                    _sentence(user), name=_name(user), avatar_url=_picture(user)
                )
            except (UpstreamFailed, UpstreamUnavailable) as error:
                # Its cause may hold the webhook's address, which is a secret.
                log.warning("nobody was told that user %s waits: %s", user.id, error.message)


async def _collect(heard: asyncio.Queue[Event], waiting: asyncio.Queue[UserSnapshot]) -> None:
    while True:
        event = await heard.get()
        if not isinstance(event, UserPending):
            continue
        try:
            waiting.put_nowait(event.user)
        except asyncio.QueueFull:
            log.warning("nobody is told that user %s waits: too many messages", event.user.id)


def _sentence(user: UserSnapshot) -> str:
    who = f"{_name(user)} (Discord {user.id})" if user.provider == "discord" else _name(user)
    return f"{who} waits for approval."


def _name(user: UserSnapshot) -> str:
    name = user.name.strip() or user.id
    return name if len(name) <= _MAX_NAME_CHARS else name[: _MAX_NAME_CHARS - 1] + "…"


def _picture(user: UserSnapshot) -> str | None:
    return avatar_url(user.id, user.avatar) if user.provider == "discord" else None
